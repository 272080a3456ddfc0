"""Rules for what lies in the package: files, sizes, requirements, secrets."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import PurePosixPath

from packaging.version import Version

from devtools.rules.manifest import is_pep_440
from devtools.rules.plugin import Plugin
from devtools.rules.rulebook import Finding, rule

MOST_BYTES = 52428800
"""The daemon's limit for the sum of uncompressed sizes."""

# What belongs into the package; whoever adds to this list has thought about it.
TOP_LEVEL = frozenset(
    {
        "manifest.yaml",
        "main.py",
        "requirements.txt",
        "README.md",
        "readme",
        "PRIVACY.md",
        "CHANGELOG.md",
        "LICENSE",
        "_assets",
        "provider",
        "tools",
        "group",
        "endpoints",
        "bridge",
        "opskit",
    }
)

_REQUIREMENTS = "requirements.txt"
_MOST_FILES = 5000
_LARGEST_NAMED = 5
_BLOCKED = (
    *(".git", ".hg", ".svn", ".venv", "venv", "env", ".env", ".env.*", "node_modules", ".idea", ".vscode"),
    *("__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache", ".hypothesis", ".tox", ".nox"),
    *(".DS_Store", "Thumbs.db", "desktop.ini", "id_rsa"),
    *("*.pem", "*.key", "*.p12", "*.pfx", "*.pyc", "*.pyo", "*.log", "*.tmp", "*.bak", "*.swp"),
)
_BUILT = (
    "build",
    "dist",
    "*.zip",
    "*.tar",
    "*.gz",
    "*.tgz",
    "*.bz2",
    "*.xz",
    "*.7z",
    "*.rar",
    "*.whl",
    "*.difypkg",
)
_NATIVE = ("*.so", "*.pyd", "*.dll", "*.dylib", "*.exe", "*.node")
_NATIVE_MAGIC = (
    b"\x7fELF",
    b"MZ",
    b"\xfe\xed\xfa",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba",
)
_HEAVY = frozenset(
    {
        "chromadb",
        "faiss-cpu",
        "faiss-gpu",
        "jax",
        "llama-cpp-python",
        "opencv-contrib-python",
        "opencv-python",
        "opencv-python-headless",
        "paddlepaddle",
        "playwright",
        "pyppeteer",
        "selenium",
        "spacy",
        "tensorflow",
        "tensorflow-cpu",
        "torch",
        "torchaudio",
        "torchvision",
        "transformers",
    }
)
_SDK_FLOOR = Version("0.9.0")
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9.!+_-]+)")

_SECRETS = {
    "an API key (sk-)": re.compile(r"\bsk-[A-Za-z0-9_-]{20,}"),
    "a GitHub token": re.compile(r"\bgh[opusr]_[A-Za-z0-9_]{20,}"),
    "an AWS key id": re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    "a Slack token": re.compile(r"\bxox[a-z]-[A-Za-z0-9-]{10,}"),
    "a JWT": re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a Dify app key": re.compile(r"\bapp-[A-Za-z0-9]{20,}"),
}
_ASSIGNMENT = re.compile(
    r"(?i)(?:api[_-]?key|access[_-]?key|private[_-]?key|secret|token|password)[\w.-]*[\"']?\s*[:=]\s*"
    r"[\"']([A-Za-z0-9+/=_.-]{12,})[\"']"
)
# Bits for each character from which a hex number, and any other word, is more likely drawn than written.
_HEX_ENTROPY, _WORD_ENTROPY = 3.0, 4.5


def _matches(path: str, patterns: tuple[str, ...]) -> str | None:
    """The first folder or file on the way to `path` whose name matches, as a path."""
    parts = PurePosixPath(path).parts
    for depth, name in enumerate(parts, start=1):
        if any(fnmatch(name, pattern) for pattern in patterns):
            return "/".join(parts[:depth])
    return None


def _found(plugin: Plugin, patterns: tuple[str, ...]) -> list[str]:
    return sorted({match for path in plugin.files if (match := _matches(path, patterns))})


@rule
def blocked_name(plugin: Plugin) -> Iterator[Finding]:
    """What the marketplace blocks: histories, environments, caches, keys, leftovers."""
    for path in _found(plugin, _BLOCKED):
        yield path, "has a name that may not be in a package"


@rule
def built_file(plugin: Plugin) -> Iterator[Finding]:
    """Build folders and archives: the marketplace warns of them, and nobody can review what is inside."""
    for path in _found(plugin, _BUILT):
        yield path, "is a build folder or an archive"


@rule
def native_file(plugin: Plugin) -> Iterator[Finding]:
    """The marketplace blocks executables by name and by their first bytes."""
    for path in plugin.files:
        with (plugin.root / path).open("rb") as content:
            starts_native = content.read(4).startswith(_NATIVE_MAGIC)
        if starts_native or _matches(path, _NATIVE):
            yield path, "is a native executable or library"


@rule
def no_pyproject(plugin: Plugin) -> Iterator[Finding]:
    """With pyproject.toml some daemons install from it and others from requirements.txt."""
    for path in plugin.files:
        if PurePosixPath(path).name in ("pyproject.toml", "uv.lock"):
            yield path, "makes the installation differ between versions of Dify"


@rule
def unexpected_entry(plugin: Plugin) -> Iterator[Finding]:
    """At the top of the package lies only what was decided on: Dify's ignore files cannot express that."""
    for entry in sorted({path.partition("/")[0] for path in plugin.files} - TOP_LEVEL):
        has_its_own_rule = _matches(entry, (*_BLOCKED, *_BUILT, "pyproject.toml", "uv.lock"))
        if not has_its_own_rule:
            yield entry, "does not belong into the package"


@rule
def flat_assets(plugin: Plugin) -> Iterator[Finding]:
    """The SDK does not look into folders of _assets."""
    for path in plugin.files:
        if re.match(r"_assets/.+/", path):
            yield path, "lies in a folder of _assets, where the SDK does not look"


@rule
def package_size(plugin: Plugin) -> Iterator[Finding]:
    """The packager and the daemon add up what is unpacked."""
    sizes = {path: plugin.size(path) for path in plugin.files}
    total = sum(sizes.values())
    if total > MOST_BYTES:
        largest = sorted(sizes, key=lambda path: (-sizes[path], path))[:_LARGEST_NAMED]
        named = ", ".join(f"{path} ({sizes[path]:,} bytes)" for path in largest)
        yield ".", f"{total:,} bytes uncompressed are more than {MOST_BYTES:,}; the largest: {named}"


@rule
def file_count(plugin: Plugin) -> Iterator[Finding]:
    """The marketplace's limit."""
    if len(plugin.files) > _MOST_FILES:
        yield ".", f"{len(plugin.files)} files are more than {_MOST_FILES}"


@rule
def requirements_exist(plugin: Plugin) -> Iterator[Finding]:
    """Every version of Dify can install from requirements.txt."""
    if not plugin.text(_REQUIREMENTS).strip():
        yield _REQUIREMENTS, "is missing or empty"


@rule
def requirement_pinned(plugin: Plugin) -> Iterator[Finding]:
    """`name==version` and nothing else: no URLs, no git, no options, no markers, no comments."""
    for line in plugin.text(_REQUIREMENTS).splitlines():
        if not _REQUIREMENT.fullmatch(line):
            yield _REQUIREMENTS, f"{line!r} is not name==version"


def _requirements(plugin: Plugin) -> dict[str, str]:
    """Version by name, in the form that PyPI compares names in."""
    matches = map(_REQUIREMENT.fullmatch, plugin.text(_REQUIREMENTS).splitlines())
    return {re.sub(r"[-_.]+", "-", match["name"]).lower(): match["version"] for match in matches if match}


@rule
def sdk_floor(plugin: Plugin) -> Iterator[Finding]:
    """The marketplace's floor for the SDK, higher than its documentation says."""
    if plugin.text(_REQUIREMENTS).strip():
        version = _requirements(plugin).get("dify-plugin", "")
        if not is_pep_440(version) or Version(version) < _SDK_FLOOR:
            yield _REQUIREMENTS, f"dify-plugin is {version or 'missing'}, not {_SDK_FLOOR} or later"


@rule
def heavy_requirement(plugin: Plugin) -> Iterator[Finding]:
    """Packages of hundreds of megabytes, which the marketplace has a person look at."""
    for name in sorted(_requirements(plugin).keys() & _HEAVY):
        yield _REQUIREMENTS, f"{name} is too large for a plugin"


@rule
def secret_text(plugin: Plugin) -> Iterator[Finding]:
    """Strings that look like somebody's secret. The message does not repeat them."""
    for path in plugin.files:
        text = plugin.text(path)
        for kind, pattern in _SECRETS.items():
            for match in pattern.finditer(text):
                yield path, f"line {_line(text, match)}: looks like {kind}"


@rule
def secret_assignment(plugin: Plugin) -> Iterator[Finding]:
    """A random-looking text given to something called a key, a token or a password."""
    for path in plugin.files:
        text = plugin.text(path)
        for match in _ASSIGNMENT.finditer(text):
            if _looks_drawn(match[1]) and not any(pattern.search(match[1]) for pattern in _SECRETS.values()):
                yield path, f"line {_line(text, match)}: a secret's name is given a random-looking text"


def _line(text: str, match: re.Match[str]) -> int:
    return text.count("\n", 0, match.start()) + 1


def _looks_drawn(text: str) -> bool:
    entropy = -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
    return entropy >= (_HEX_ENTROPY if re.fullmatch(r"[0-9a-fA-F]+", text) else _WORD_ENTROPY)
