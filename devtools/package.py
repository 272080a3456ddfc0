"""Build opskit-<version>.difypkg: `python -m devtools.package [--out DIR]`.

The files that .difyignore leaves over are laid out in a temporary folder, every rule of `devtools.rules` is
asked of them, and only then are they packed: by Dify's own CLI when it is on the PATH, otherwise here, in the
same format. Either way the same tree gives the same bytes.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import yaml
from pathspec import GitIgnoreSpec

from devtools.rules import broken_rules

ROOT = Path(__file__).parents[1]

# A zip cannot hold an earlier time. Dify's CLI writes none at all.
_NO_TIME = (1980, 1, 1, 0, 0, 0)
_PERMISSIONS = 0o100644 << 16
_UNIX = 3
_IGNORE_FILES = (".difyignore", ".gitignore")


class PackageError(Exception):
    """The package cannot be built; the text says why."""


@dataclass(frozen=True)
class Package:
    """A built package: sizes in bytes, and the identity that Dify gives it."""

    path: Path
    files: int
    uncompressed: int
    compressed: int
    identity: str


def packed_files(root: Path) -> list[str]:
    """The files that belong into the package, relative to `root` and sorted.

    Read from .difyignore, or from .gitignore when there is none, as Dify's packager does.
    """
    ignored = GitIgnoreSpec.from_lines(_ignore_lines(root))
    kept: list[str] = []
    for folder, folders, names in os.walk(root):
        place = Path(folder).relative_to(root)
        folders[:] = [
            name for name in folders if name != ".git" and not ignored.match_file(f"{(place / name).as_posix()}/")
        ]
        paths = [(place / name).as_posix() for name in names if name not in _IGNORE_FILES]
        kept += [path for path in paths if not ignored.match_file(path)]
    return sorted(kept)


def _ignore_lines(root: Path) -> list[str]:
    for name in _IGNORE_FILES:
        if (root / name).is_file():
            lines = (root / name).read_text("utf-8").splitlines()
            negated = [line for line in lines if line.lstrip().startswith("!")]
            if negated:
                message = f"{name}: Dify's packager takes no notice of {', '.join(negated)}"
                raise PackageError(message)
            return lines
    return []


def identity_of(root: Path) -> str:
    """`author/name:version@checksum` of an unpacked package, as Dify's daemon computes it."""
    digests = b""
    for path in _files_below(root):
        digests += hashlib.sha256(path.encode()).digest()
        digests += hashlib.sha256((root / path).read_bytes()).digest()
    manifest = _manifest(root)
    checksum = hashlib.sha256(digests).hexdigest()
    return f"{manifest['author']}/{manifest['name']}:{manifest['version']}@{checksum}"


def build(root: Path, out: Path) -> Package:
    """Build the package of the plugin in `root` into the folder `out`; PackageError when a rule is broken."""
    with tempfile.TemporaryDirectory() as temporary:
        stage = Path(temporary) / "package"
        stage.mkdir()
        for path in packed_files(root):
            (stage / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / path, stage / path)
        problems = broken_rules(stage)
        if problems:
            message = "\n".join(str(problem) for problem in problems)
            raise PackageError(message)
        manifest = _manifest(stage)
        archive = out / f"{manifest['name']}-{manifest['version']}.difypkg"
        out.mkdir(parents=True, exist_ok=True)
        _pack(stage, archive)
        files = _files_below(stage)
        return Package(
            path=archive,
            files=len(files),
            uncompressed=sum((stage / path).stat().st_size for path in files),
            compressed=archive.stat().st_size,
            identity=identity_of(stage),
        )


def _manifest(root: Path) -> dict[str, object]:
    manifest: dict[str, object] = yaml.safe_load((root / "manifest.yaml").read_text("utf-8"))
    return manifest


def _files_below(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def _pack(stage: Path, archive: Path) -> None:
    archive.unlink(missing_ok=True)
    cli = shutil.which("dify")
    if cli is None:
        _zip(stage, archive)
    else:
        _pack_with_cli(cli, stage, archive)


def _zip(stage: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w") as package:
        for path in _files_below(stage):
            entry = zipfile.ZipInfo(path, _NO_TIME)
            entry.create_system = _UNIX
            entry.external_attr = _PERMISSIONS
            entry.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(entry, (stage / path).read_bytes(), compresslevel=9)


def _pack_with_cli(cli: str, stage: Path, archive: Path) -> None:
    """Pack with Dify's CLI, and see that it packed what was laid out."""
    done = subprocess.run(
        [cli, "plugin", "package", str(stage), "-o", str(archive.resolve())],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not archive.is_file():
        message = f"dify plugin package failed:\n{done.stdout}{done.stderr}".rstrip()
        raise PackageError(message)
    with zipfile.ZipFile(archive) as package:
        packed = sorted(package.namelist())
    if packed != _files_below(stage):
        differing = ", ".join(sorted(set(packed) ^ set(_files_below(stage))))
        message = f"dify plugin package packed other files than it was given: {differing}"
        raise PackageError(message)


def main(arguments: list[str] | None = None) -> int:
    """Build the package of this repository and say what it is; 1 when it cannot be built."""
    parser = argparse.ArgumentParser(prog="python -m devtools.package", description="Build the Dify package.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", metavar="DIR", help="default: dist/")
    options = parser.parse_args(arguments)
    try:
        package = build(ROOT, options.out)
    except PackageError as error:
        print(f"no package was built:\n{error}", file=sys.stderr)
        return 1
    print(package.path)
    print(f"{package.files} files, {package.uncompressed:,} bytes, {package.compressed:,} packed")
    print(package.identity)
    return 0


if __name__ == "__main__":
    sys.exit(main())
