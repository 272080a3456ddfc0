"""An unpacked package read once, so that every rule can look at it without opening files again."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from devtools.rules.documents import Document, Endpoint, EndpointGroup, Manifest, Provider, Tool, Words

MANIFEST = "manifest.yaml"
_SCANNED_BYTES = 1024 * 1024  # what lies beyond is data, and the marketplace does not read it either

_FAULT_OF_ERROR = {
    "extra_forbidden": "unknown_key",
    "missing": "missing_key",
    "string_too_short": "blank_text",
}


@lru_cache(maxsize=512)
def nodes(module: ast.Module) -> tuple[ast.AST, ...]:
    """Everything in a module. Walking it anew for every rule takes most of the time of checking a package."""
    return tuple(ast.walk(module))


class _Loader(yaml.CSafeLoader):
    """YAML as Dify's Go side reads it: dates stay text, and a key given twice is an error.

    The C reader, because the Python one takes most of the time of checking a package.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                message = f"key {key!r} is given twice"
                raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)
        return super().construct_mapping(node, deep=deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class Fault:
    """Something that kept a file from being read: the rule it breaks, where, and how."""

    rule: str
    path: str
    message: str


@dataclass(frozen=True)
class Adapter:
    """A Python file that the SDK loads by path, and the SDK class that it has to subclass once."""

    declared_in: str
    source: str
    parent: str


@dataclass(frozen=True)
class Plugin:
    """A package's files, its YAML as models and its Python as syntax trees, each by path relative to `root`.

    A file that cannot be read is missing from its map and has a `Fault` instead: rules look only at what is
    sound, so that one mistake gives one problem.
    """

    root: Path
    files: tuple[str, ...]
    manifest: Manifest | None
    providers: dict[str, Provider]
    tools: dict[str, Tool]
    groups: dict[str, EndpointGroup]
    endpoints: dict[str, Endpoint]
    modules: dict[str, ast.Module]
    faults: tuple[Fault, ...]

    def has(self, path: str) -> bool:
        """Whether the package holds this file."""
        return path in self._known

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.files)

    def size(self, path: str) -> int:
        """A file's size in bytes."""
        return (self.root / path).stat().st_size

    def text(self, path: str) -> str:
        """A file's text; empty when it is missing, binary or larger than 1 MiB."""
        if path not in self._texts:
            self._texts[path] = self._read(path)
        return self._texts[path]

    def _read(self, path: str) -> str:
        if not self.has(path) or self.size(path) > _SCANNED_BYTES:
            return ""
        content = (self.root / path).read_bytes()
        return "" if b"\0" in content else content.decode("utf-8", errors="replace")

    @cached_property
    def _texts(self) -> dict[str, str]:
        return {}

    def documents(self) -> Iterator[tuple[str, Document]]:
        """Every sound YAML document with its path."""
        if self.manifest is not None:
            yield MANIFEST, self.manifest
        for documents in (self.providers, self.tools, self.groups, self.endpoints):
            yield from documents.items()

    def words(self) -> Iterator[tuple[str, str, Words]]:
        """Every text that exists in several languages: its file, its place there, and the words."""
        for path, document in self.documents():
            for place, words in _words_in(document, ""):
                yield path, place, words

    def adapters(self) -> Iterator[Adapter]:
        """Every Python file that a provider, tool or endpoint names."""
        for path, provider in self.providers.items():
            yield Adapter(path, provider.extra.python.source, "ToolProvider")
        for path, tool in self.tools.items():
            yield Adapter(path, tool.extra.python.source, "Tool")
        for path, endpoint in self.endpoints.items():
            yield Adapter(path, endpoint.extra.python.source, "Endpoint")


def _words_in(value: object, place: str) -> Iterator[tuple[str, Words]]:
    match value:
        case Words():
            yield place, value
        case Document():
            for name in type(value).model_fields:
                yield from _words_in(getattr(value, name), f"{place}.{name}" if place else name)
        case list():
            for position, item in enumerate(value):
                yield from _words_in(item, f"{place}.{getattr(item, 'name', position)}")


class _Reader:
    """Reads one package and remembers what could not be read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        found = (path for path in root.rglob("*") if path.is_file())
        self.files = tuple(sorted(path.relative_to(root).as_posix() for path in found))
        self.faults: list[Fault] = []

    def document[D: Document](self, path: str, shape: type[D], *, listed_in: str) -> D | None:
        """One YAML file as a model, or None and a fault."""
        if path not in self.files:
            self.faults.append(Fault("listed_file_exists", listed_in, f"{path} does not exist"))
            return None
        try:
            # _Loader builds plain values only.
            content = yaml.load((self.root / path).read_text("utf-8"), Loader=_Loader)  # noqa: S506
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            self.faults.append(Fault("unreadable_yaml", path, " ".join(str(error).split())))
            return None
        if not isinstance(content, dict):
            self.faults.append(Fault("unreadable_yaml", path, "is not a map"))
            return None
        try:
            return shape.model_validate(content)
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=False):
                place = ".".join(str(part) for part in detail["loc"])
                fault = _FAULT_OF_ERROR.get(detail["type"], "wrong_type")
                self.faults.append(Fault(fault, path, f"{place}: {detail['msg']}"))
            return None

    def documents[D: Document](self, listed: dict[str, list[str]], shape: type[D]) -> dict[str, D]:
        """The sound ones of several YAML files, each named by the file that lists it."""
        sound: dict[str, D] = {}
        for listed_in, paths in listed.items():
            for path in dict.fromkeys(paths):
                document = self.document(path, shape, listed_in=listed_in)
                if document is not None:
                    sound[path] = document
        return sound

    def modules(self) -> dict[str, ast.Module]:
        """Every Python file as a syntax tree."""
        trees: dict[str, ast.Module] = {}
        for path in self.files:
            if path.endswith(".py"):
                try:
                    trees[path] = ast.parse((self.root / path).read_bytes(), filename=path)
                except (SyntaxError, ValueError) as error:
                    self.faults.append(Fault("unreadable_python", path, str(error)))
        return trees


def read_plugin(root: Path) -> Plugin:
    """Read the package that is unpacked in `root`."""
    reader = _Reader(root)
    manifest = reader.document(MANIFEST, Manifest, listed_in=MANIFEST)
    extensions = manifest.plugins if manifest else None
    providers = reader.documents({MANIFEST: extensions.tools if extensions else []}, Provider)
    groups = reader.documents({MANIFEST: extensions.endpoints if extensions else []}, EndpointGroup)
    tools = reader.documents({path: provider.tools for path, provider in providers.items()}, Tool)
    endpoints = reader.documents({path: group.endpoints for path, group in groups.items()}, Endpoint)
    modules = reader.modules()
    return Plugin(
        root=root,
        files=reader.files,
        manifest=manifest,
        providers=providers,
        tools=tools,
        groups=groups,
        endpoints=endpoints,
        modules=modules,
        faults=tuple(reader.faults),
    )
