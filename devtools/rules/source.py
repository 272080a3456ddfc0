"""Rules for Python: the adapters that the SDK loads by path, and all code of the package."""

import ast
import re
from collections.abc import Iterator

from devtools.rules.plugin import Adapter, Plugin, nodes
from devtools.rules.rulebook import Finding, rule

_REQUEST_FUNCTIONS = ("get", "post", "put", "patch", "delete", "head", "options", "request")
_LOG_METHODS = ("debug", "info", "warning", "warn", "error", "exception", "critical", "log")
_SECRET_NAME = re.compile(r"(^|_)(credentials?|api_?key|secret|token|passw(or)?d)s?$", re.IGNORECASE)


def dotted_name(node: ast.expr) -> str:
    """`a.b.c` for a name or an attribute of one; empty for anything else."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            owner = dotted_name(node.value)
            return f"{owner}.{node.attr}" if owner else ""
        case _:
            return ""


def _last_name(node: ast.expr) -> str:
    return dotted_name(node).rpartition(".")[2]


def _classes(module: ast.Module) -> list[ast.ClassDef]:
    return [node for node in nodes(module) if isinstance(node, ast.ClassDef)]


def _derives(definition: ast.ClassDef, parent: str) -> bool:
    return any(_last_name(base) == parent for base in definition.bases)


def _modules_of_adapters(plugin: Plugin) -> Iterator[tuple[Adapter, ast.Module]]:
    for adapter in plugin.adapters():
        if adapter.source in plugin.modules:
            yield adapter, plugin.modules[adapter.source]


def _calls(plugin: Plugin) -> Iterator[tuple[str, ast.Call]]:
    for path, module in plugin.modules.items():
        for node in nodes(module):
            if isinstance(node, ast.Call):
                yield path, node


@rule
def one_subclass(plugin: Plugin) -> Iterator[Finding]:
    """The SDK takes the one subclass that it finds in the file; with none or two nothing starts."""
    for adapter, module in _modules_of_adapters(plugin):
        count = sum(_derives(definition, adapter.parent) for definition in _classes(module))
        if count != 1:
            yield adapter.source, f"defines {count} subclasses of {adapter.parent}, not one"


@rule
def imported_subclass(plugin: Plugin) -> Iterator[Finding]:
    """An imported subclass counts as a second one: import its module instead."""
    for adapter, module in _modules_of_adapters(plugin):
        for node in nodes(module):
            if isinstance(node, ast.ImportFrom):
                for name in node.names:
                    if _is_subclass(plugin, node.module or "", name.name, adapter.parent):
                        yield (
                            adapter.source,
                            f"imports {name.name}, which counts as a second {adapter.parent}",
                        )


def _is_subclass(plugin: Plugin, module: str, name: str, parent: str) -> bool:
    # The package's own classes are looked up; of others the name has to tell.
    if name != parent and name.endswith(parent):
        return True
    path = module.replace(".", "/")
    tree = plugin.modules.get(f"{path}.py") or plugin.modules.get(f"{path}/__init__.py")
    return tree is not None and any(
        definition.name == name and _derives(definition, parent) for definition in _classes(tree)
    )


@rule
def class_in_adapter(plugin: Plugin) -> Iterator[Finding]:
    """The SDK does not put the file into sys.modules, so dataclasses and models in it fail in odd ways."""
    for adapter, module in _modules_of_adapters(plugin):
        for definition in _classes(module):
            if not _derives(definition, adapter.parent):
                yield adapter.source, f"defines the class {definition.name}, which belongs into the core"


@rule
def no_print(plugin: Plugin) -> Iterator[Finding]:
    """Standard output is the protocol: a printed line is a broken message."""
    for path, call in _calls(plugin):
        if dotted_name(call.func) in ("print", "sys.stdout.write"):
            yield path, f"line {call.lineno}: print breaks the protocol on stdout"


@rule
def no_exit(plugin: Plugin) -> Iterator[Finding]:
    """After sys.exit in a tool the call never ends."""
    for path, module in plugin.modules.items():
        for node in nodes(module):
            match node:
                case ast.Call(func=left) | ast.Raise(exc=ast.expr() as left):
                    name = dotted_name(left)
                    if name in ("sys.exit", "os._exit", "exit", "quit", "SystemExit"):
                        yield path, f"line {left.lineno}: {name} leaves the call hanging"


@rule
def no_asyncio(plugin: Plugin) -> Iterator[Finding]:
    """Of two calls that run asyncio at once in the gevent process one fails."""
    for path, module in plugin.modules.items():
        for node in nodes(module):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [name.name for name in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            if any(name.partition(".")[0] == "asyncio" for name in names):
                yield path, "imports asyncio, which fails when two calls run at once"


@rule
def request_timeout(plugin: Plugin) -> Iterator[Finding]:
    """A request without a timeout waits for ever; the marketplace looks for them too."""
    for path, call in _calls(plugin):
        owner, _, name = dotted_name(call.func).rpartition(".")
        given = {keyword.arg for keyword in call.keywords}
        # None is `**options`, which may hold it.
        if owner == "requests" and name in _REQUEST_FUNCTIONS and not given & {"timeout", None}:
            yield path, f"line {call.lineno}: requests.{name} without a timeout"


@rule
def secret_told(plugin: Plugin) -> Iterator[Finding]:
    """A variable named like a secret, on its way into a log line or an error."""
    for path, module in plugin.modules.items():
        for node in nodes(module):
            told: list[ast.expr] = []
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                told = [*node.exc.args, *(keyword.value for keyword in node.exc.keywords)]
            elif isinstance(node, ast.Call) and _is_log(node):
                told = [*node.args, *(keyword.value for keyword in node.keywords)]
            for part in (part for expression in told for part in _values(expression)):
                if _SECRET_NAME.search(_last_name(part)):
                    yield path, f"line {part.lineno}: {dotted_name(part)} goes into a log line or an error"


def _values(node: ast.AST) -> Iterator[ast.Name | ast.Attribute]:
    """The variables of an expression. What is called is none: `blank(secrets(…))` tells nothing."""
    match node:
        case ast.Name() | ast.Attribute():
            yield node
        case ast.Call():
            for part in (*node.args, *node.keywords):
                yield from _values(part)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _values(child)


def _is_log(call: ast.Call) -> bool:
    owner, _, method = dotted_name(call.func).rpartition(".")
    return method in _LOG_METHODS and owner.rpartition(".")[2].lower() in (
        "logging",
        "logger",
        "_logger",
        "log",
    )
