"""The package: the same bytes each time, nothing in it that does not belong there, and it starts."""

import hashlib
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from devtools import package
from devtools.package import PackageError
from devtools.plugin_process import PluginFailure, PluginProcess
from devtools.rules import broken_rules
from devtools.rules.contents import MOST_BYTES, TOP_LEVEL
from opskit import errors

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "package-venv"


@pytest.fixture
def without_cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever is installed here, Dify's CLI is not found."""
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    monkeypatch.setenv("PATH", str(nothing))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of this repository."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(tmp_path_factory.mktemp("nothing")))
        return package.build(ROOT, tmp_path_factory.mktemp("dist")).path


@pytest.fixture(scope="module")
def unpacked(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Dify's daemon lays out before it installs the plugin."""
    root = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(root)
    return root


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the package is made of, to add to."""
    root = tmp_path / "tree"
    for path in [*package.packed_files(ROOT), ".difyignore"]:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, root / path)
    return root


# --- what is built


@pytest.mark.usefixtures("without_cli")
def test_the_same_tree_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    again = package.build(ROOT, tmp_path / "again")
    assert again.path.name == built.name
    assert again.path.read_bytes() == built.read_bytes()


@pytest.mark.usefixtures("without_cli")
def test_neither_times_nor_permissions_of_the_files_change_the_bytes(tree: Path, tmp_path: Path) -> None:
    before = package.build(tree, tmp_path / "before").path.read_bytes()
    os.utime(tree / "main.py", (0, 0))
    (tree / "main.py").chmod(0o755)
    assert package.build(tree, tmp_path / "after").path.read_bytes() == before


def test_the_package_holds_what_was_decided_on_and_nothing_else(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        names = archive.namelist()
    assert names == sorted(names)
    top = {name.partition("/")[0] for name in names}
    assert top == TOP_LEVEL


def test_no_entry_has_a_time_a_size_or_a_permission_of_its_own(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        entries = archive.infolist()
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {stat.S_IFREG | 0o644}
    assert sum(entry.file_size for entry in entries) <= MOST_BYTES


def test_no_rule_is_broken(unpacked: Path) -> None:
    assert [str(problem) for problem in broken_rules(unpacked)] == []


def test_the_identity_is_that_of_dify(tmp_path: Path) -> None:
    # Worked out by hand: sha256 over the sorted pairs of sha256(path) and sha256(content).
    (tmp_path / "manifest.yaml").write_bytes(b"author: a\nname: b\nversion: 0.0.1\n")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_bytes(b"1")
    pairs = [(b"a/x", b"1"), (b"manifest.yaml", b"author: a\nname: b\nversion: 0.0.1\n")]
    digests = b"".join(hashlib.sha256(part).digest() for pair in pairs for part in pair)
    assert package.identity_of(tmp_path) == f"a/b:0.0.1@{hashlib.sha256(digests).hexdigest()}"


# --- what is refused


@pytest.mark.usefixtures("without_cli")
def test_a_tree_that_is_too_large_is_refused_with_its_largest_file(tree: Path, tmp_path: Path) -> None:
    with (tree / "opskit" / "weights.bin").open("wb") as file:
        file.truncate(MOST_BYTES)
    with pytest.raises(PackageError, match=r"package_size: .* the largest: opskit/weights.bin \(52,428,800 bytes\)"):
        package.build(tree, tmp_path / "dist")
    assert not (tmp_path / "dist").exists()


@pytest.mark.usefixtures("without_cli")
def test_a_new_entry_at_the_top_is_refused_until_it_is_decided_on(tree: Path, tmp_path: Path) -> None:
    (tree / "notes").mkdir()
    (tree / "notes" / "idea.txt").write_text("an idea\n")
    with pytest.raises(PackageError, match="notes: unexpected_entry"):
        package.build(tree, tmp_path / "dist")


@pytest.mark.usefixtures("without_cli")
def test_all_problems_are_told_at_once(tree: Path, tmp_path: Path) -> None:
    (tree / "PRIVACY.md").unlink()
    (tree / "main.py").write_text("print('started')\n")
    with pytest.raises(PackageError) as raised:
        package.build(tree, tmp_path / "dist")
    assert {line.split(": ")[1] for line in str(raised.value).splitlines()} == {
        "no_print",
        "privacy_exists",
        "privacy_policy",
    }


def test_an_ignore_file_may_not_say_what_dify_does_not_hear(tmp_path: Path) -> None:
    (tmp_path / ".difyignore").write_text("*\n!manifest.yaml\n")
    with pytest.raises(PackageError, match=r"\.difyignore: Dify's packager takes no notice of !manifest\.yaml"):
        package.packed_files(tmp_path)


# --- which files


def test_files_are_left_out_as_the_ignore_file_says(tmp_path: Path) -> None:
    shutil.copyfile(ROOT / ".difyignore", tmp_path / ".difyignore")
    kept = ["LICENSE", "main.py", "opskit/dist/x.py", "opskit/tests/x.py", "tools/a.py"]
    left_out = [
        *(".cache/x", ".coverage.1", ".env", ".git/HEAD", ".gitignore", ".github/x.yml", ".venv/bin/python"),
        *(
            "CONTRIBUTING.md",
            "Makefile",
            "airflow_provider/x.py",
            "devtools/x.py",
            "dist/x.difypkg",
            "examples/x.yml",
        ),
        *("out/x", "pyproject.toml", "requirements-dev.txt", "tests/core/x.py", "tools.lock", "uv.lock"),
        *("main.pyc", "tools/__pycache__/a.pyc", "tools/.DS_Store", "x.log", "opskit/x.tmp", "opskit/x.bak"),
    ]
    for path in [*kept, *left_out]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x\n")
    assert package.packed_files(tmp_path) == kept


def test_without_a_difyignore_the_gitignore_counts_and_git_itself_never_does(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / ".git").mkdir()
    for name in ("main.py", "run.log", ".git/HEAD"):
        (tmp_path / name).write_text("x\n")
    assert package.packed_files(tmp_path) == ["main.py"]


def test_without_any_ignore_file_everything_counts(tmp_path: Path) -> None:
    (tmp_path / "run.log").write_text("x\n")
    assert package.packed_files(tmp_path) == ["run.log"]


# --- Dify's own CLI

CLI = """#!{python}
import sys, zipfile
from pathlib import Path
_, plugin, command, root, option, out = sys.argv
assert (plugin, command, option) == ("plugin", "package", "-o")
root = Path(root)
with zipfile.ZipFile(out, "w") as archive:
    archive.comment = b"packed by the CLI"
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.name not in {left_out}:
            archive.write(path, path.relative_to(root))
"""


def put_on_path(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> None:
    cli = folder / "dify"
    folder.mkdir()
    cli.write_text(script)
    cli.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_the_cli_of_dify_packs_when_it_is_there(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(monkeypatch, tmp_path / "bin", CLI.format(python=sys.executable, left_out=()))
    built = package.build(tree, tmp_path / "dist")
    with zipfile.ZipFile(built.path) as archive:
        assert archive.comment == b"packed by the CLI"
        assert len(archive.namelist()) == built.files


def test_a_cli_that_leaves_a_file_out_is_not_believed(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path(monkeypatch, tmp_path / "bin", CLI.format(python=sys.executable, left_out=("LICENSE",)))
    with pytest.raises(PackageError, match="packed other files than it was given: LICENSE"):
        package.build(tree, tmp_path / "dist")


def test_what_the_cli_says_when_it_fails_is_told(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = f"#!{sys.executable}\nimport sys\nsys.exit('failed to package plugin')\n"
    put_on_path(monkeypatch, tmp_path / "bin", script)
    with pytest.raises(PackageError, match="failed to package plugin"):
        package.build(tree, tmp_path / "dist")


# --- the command


@pytest.mark.usefixtures("without_cli")
def test_the_command_says_what_it_built(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert package.main(["--out", str(tmp_path / "dist")]) == 0
    (built,) = (tmp_path / "dist").iterdir()
    path, sizes, identity = capsys.readouterr().out.splitlines()
    assert path == str(built)
    assert sizes.endswith(f"{built.stat().st_size:,} packed")
    assert identity.startswith("opskit/opskit:")


@pytest.mark.usefixtures("without_cli")
def test_the_command_fails_with_every_problem(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tree / "LICENSE.pem").write_text("x\n")
    monkeypatch.setattr(package, "ROOT", tree)
    assert package.main(["--out", str(tree / "dist")]) == 1
    assert "LICENSE.pem: blocked_name" in capsys.readouterr().err


# --- the start


def environment_for(requirements: Path) -> Path:
    """The Python of a virtual environment that holds what the package asks for; made once for each lock."""
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    folder = CACHE / key
    python = folder / "bin" / "python"
    ready = folder / ".ready"
    if not ready.exists():
        uv = shutil.which("uv") or shutil.which("uv", path=ROOT / ".uv" / "bin")
        if uv:
            commands = [
                [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
                [uv, "pip", "install", "--quiet", "--python", str(python), "-r", str(requirements)],
            ]
        else:
            commands = [
                [sys.executable, "-m", "venv", "--clear", str(folder)],
                [str(python), "-m", "pip", "install", "--quiet", "-r", str(requirements)],
            ]
        for command in commands:
            subprocess.run(command, check=True)
        ready.touch()
    return python


def test_the_plugin_starts_from_its_package_and_its_requirements(unpacked: Path, tmp_path: Path) -> None:
    python = environment_for(unpacked / "requirements.txt")
    # A copy, because a plugin that runs leaves __pycache__ behind.
    installed = shutil.copytree(unpacked, tmp_path / "installed")
    with PluginProcess(installed, python=python) as plugin:
        assert (plugin.manifest["author"], plugin.manifest["name"]) == ("opskit", "opskit")
        assert "Installed tool: opskit" in plugin.log  # the SDK names the provider
        tools = sorted(path.stem for path in (unpacked / "tools").glob("*.yaml"))
        assert tools
        for tool in tools:
            # An empty call is declined by the tool's own code: it is installed, and so is what it imports.
            with pytest.raises(PluginFailure) as raised:
                plugin.invoke(tool, {})
            assert issubclass(getattr(errors, raised.value.kind, object), errors.OpskitError), raised.value.trace
        assert plugin.errors == b""
