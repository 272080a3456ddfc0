"""The walls of the house: who may import whom, what is pinned, how files are named."""

import ast
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "core", "lib", "build", "env", "target", "misc"}
# Who may import which of our own packages, and which of others must stay out.
WALLS = {
    "opskit": ({"opskit"}, {"dify_plugin", "gevent", "graphon", "werkzeug"}),
    "bridge": ({"bridge", "opskit"}, {"graphon"}),
    "tools": ({"bridge", "opskit"}, {"graphon", "requests", "pandas", "pydantic"}),
    "provider": ({"bridge", "opskit"}, {"graphon", "requests", "pandas", "pydantic"}),
    "endpoints": ({"bridge", "opskit"}, {"graphon", "requests", "pandas", "pydantic"}),
}
OURS = {"opskit", "bridge", "tools", "provider", "endpoints", "devtools", "tests", "main"}
HEAVY = {"pandas", "numpy"}


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported(path: Path) -> Iterator[tuple[str, bool]]:
    """The top package of every import, and whether it is done when the module loads."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    late = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [node.module or ""]
        for name in names:
            yield name.partition(".")[0], id(node) not in late


@pytest.mark.parametrize("package", WALLS)
def test_imports_point_one_way(package: str) -> None:
    mine, shut_out = WALLS[package]
    found = {(path.relative_to(ROOT).as_posix(), name) for path in sources(package) for name, _ in imported(path)}
    assert found
    assert {(path, name) for path, name in found if name in OURS - mine or name in shut_out} == set()


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    for package in WALLS:
        for path in sources(package):
            assert not {name for name, at_load in imported(path) if at_load} & HEAVY, path


def test_the_core_is_imported_without_dify_and_without_pandas() -> None:
    code = "import opskit.sales, opskit.dingtalk, sys, json; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True).stdout)
    assert not {"pandas", "numpy", "dify_plugin", "gevent"} & set(loaded)


def test_main_imports_the_sdk_first_and_nothing_else() -> None:
    assert [name for name, _ in imported(ROOT / "main.py")] == ["dify_plugin"]


def test_the_test_process_never_imports_the_sdk() -> None:
    for package in ("devtools", "tests"):
        for path in sources(package):
            assert "dify_plugin" not in {name for name, _ in imported(path)}, path
    assert "dify_plugin" not in sys.modules


def test_names_say_what_is_inside() -> None:
    for package in ("opskit", "bridge", "devtools", "tools", "endpoints", "group"):
        for path in (ROOT / package).rglob("*"):
            assert path.stem not in FORBIDDEN_NAMES, path


def test_a_module_of_the_product_stays_readable() -> None:
    for package in ("opskit", "bridge"):
        for path in sources(package):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            assert lines <= 340, f"{path} has {lines} lines: make it a package"


def test_an_adapter_reads_like_a_sentence() -> None:
    for path in [*sources("tools"), *sources("endpoints")]:
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 30, path


# Pins


def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+_-]+", line) for line in lines)
    return {canonicalize_name(package): version for package, _, version in (line.partition("==") for line in lines)}


def declared(*, dev: bool) -> list[Requirement]:
    config = project()
    texts = list(config["project"]["dependencies"])  # type: ignore[index]
    texts += config["dependency-groups"]["dev"] if dev else []  # type: ignore[index]
    return [Requirement(text) for text in texts]


def closure(roots: list[Requirement]) -> set[str]:
    """Everything that the roots need on this platform, by what the installed packages say of themselves."""
    found: set[tuple[str, str]] = set()
    todo = [(root.name, extra) for root in roots for extra in {"", *root.extras}]
    while todo:
        name, extra = todo.pop()
        if (canonicalize_name(name), extra) in found:
            continue
        found.add((canonicalize_name(name), extra))
        for text in importlib.metadata.requires(name) or []:
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                todo += [(needed.name, inner) for inner in {"", *needed.extras}]
    return {name for name, _ in found}


@pytest.mark.parametrize(("lock", "dev"), [("requirements.txt", False), ("requirements-dev.txt", True)])
def test_the_lock_is_in_step_with_the_bounds(lock: str, dev: bool) -> None:  # noqa: FBT001
    pinned = pins(lock)
    for requirement in declared(dev=dev):
        bounds = {bound.operator for bound in requirement.specifier}
        assert {">=", "<"} <= bounds, f"{requirement} has no lower or no upper bound"
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), requirement
    assert pinned.keys() == closure(declared(dev=dev)), "run `make lock`"


def test_the_locks_agree_and_are_what_is_installed() -> None:
    runtime, dev = pins("requirements.txt"), pins("requirements-dev.txt")
    assert runtime.items() <= dev.items()
    for name, version in dev.items():
        assert importlib.metadata.version(name) == version, f"{name}: run `make setup`"


def test_no_lock_records_where_packages_came_from() -> None:
    assert not (ROOT / "uv.lock").exists()
    assert not (ROOT / "package-lock.json").exists()


def test_ci_runs_the_words_of_make_check_and_nothing_else() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    words = re.findall(r"(?m)^check: ([a-z ]+) ##", makefile)[0].split()
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in script if line and not line.startswith(("#", "set ", "cd "))]
    assert commands == [f"make {word}" for word in words]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o100


def test_one_version_everywhere() -> None:
    version = project()["project"]["version"]  # type: ignore[index]
    assert f"\nversion: {version}\n" in "\n" + (ROOT / "manifest.yaml").read_text(encoding="utf-8")
    assert re.search(rf"(?m)^## {re.escape(str(version))}\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))


def test_the_settings_that_make_the_tests_strict_stand() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert settings["coverage"]["report"]["fail_under"] == 100
    assert settings["coverage"]["run"]["branch"]
    assert settings["pytest"]["ini_options"]["filterwarnings"][0] == "error"
    assert settings["mypy"]["strict"]
    assert settings["ruff"]["lint"]["select"] == ["ALL"]


def test_a_call_may_take_as_long_as_dify_allows() -> None:
    """Dify ends a call after 600 s; the SDK's own limit must not come before that."""
    assert re.findall(r"MAX_REQUEST_TIMEOUT=(\d+)", (ROOT / "main.py").read_text(encoding="utf-8")) == ["600"]
