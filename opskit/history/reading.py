"""YAML as Dify reads it, with less trust: no tags, no merges, no bombs, and dates stay the texts that they are.

The events of the parser are put together here, because composing nodes first costs twice the time, and recurses in C.
"""

from collections.abc import Callable
from typing import Any

import yaml

from opskit.errors import InvalidInput

MAX_MB = 10  # what Dify imports: DSL_MAX_SIZE in api/services/app_dsl_service.py
MAX_DEPTH = 100  # levels; the deepest DSLs that we have seen have 20
_MAX_VALUES = 1_000_000  # with every alias counted as what it stands for
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # absent where PyYAML was made without libyaml
_RESOLVERS = yaml.SafeLoader.yaml_implicit_resolvers  # {first character: [(tag, pattern)]}
_CONSTRUCTOR = yaml.constructor.SafeConstructor()
_PREFIX = "tag:yaml.org,2002:"


def parsed(text: str) -> object:
    """The value of a YAML text; ``InvalidInput`` ``dsl_too_large`` or ``dsl_not_yaml`` says where and what is wrong."""
    if len(text) > MAX_MB << 20 or len(text.encode("utf-8", "replace")) > MAX_MB << 20:
        raise InvalidInput("dsl_too_large", limit_mb=MAX_MB)
    try:
        loader = _LOADER(text)
        try:
            return _Document(loader.get_event).value()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:  # its own text quotes the line, and that may hold a secret
        raise _refusal(str(error.problem), error.problem_mark or error.context_mark) from None
    except yaml.YAMLError as error:
        raise _refusal(str(getattr(error, "reason", "")), None) from None
    except ValueError:  # a number with more digits than Python reads
        raise _refusal("a number is too long", None) from None


def _refusal(problem: str, mark: Any) -> InvalidInput:
    place = f" (line {mark.line + 1})" if mark else ""
    return InvalidInput("dsl_not_yaml", problem=f"{problem}{place}")


class _Document:
    """The one document of a stream of events."""

    def __init__(self, next_event: Callable[[], Any]) -> None:
        self._next = next_event
        self._count = 0
        self._anchors: dict[str, tuple[object, int]] = {}
        self._plain: dict[str, object] = {}

    def value(self) -> object:
        """What the document holds; None for an empty one."""
        self._next()  # the stream begins
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        value = self._value(self._next(), 0)
        self._next()  # the document ends
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            raise _refusal("more than one document", event.start_mark)
        return value

    def _value(self, event: Any, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before, self._count = self._count, self._count + 1
        if event.tag is not None:
            raise _refusal("tags are not allowed", event.start_mark)
        if depth > MAX_DEPTH or self._count > _MAX_VALUES:
            raise _refusal("too many values, or too many levels", event.start_mark)
        value: object
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event.value) if event.implicit[0] else event.value
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(depth)
        else:
            value = self._mapping(depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, self._count - before)
        return value

    def _alias(self, event: Any) -> object:
        if event.anchor not in self._anchors:
            raise _refusal("an alias without an anchor before it", event.start_mark)
        value, count = self._anchors[event.anchor]
        self._count += count
        if self._count > _MAX_VALUES:
            raise _refusal("too many values", event.start_mark)
        return value

    def _sequence(self, depth: int) -> list[object]:
        values = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            values.append(self._value(event, depth + 1))
        return values

    def _mapping(self, depth: int) -> dict[object, object]:
        values: dict[object, object] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._value(event, depth + 1)
            if isinstance(key, (list, dict)):
                raise _refusal("a key that is a list or an object", event.start_mark)
            values[key] = self._value(self._next(), depth + 1)
        return values

    def _scalar(self, text: str) -> object:
        """What a text without quotes stands for; the same few come again and again."""
        if text not in self._plain:
            self._plain[text] = _meant(text)
        return self._plain[text]


def _meant(text: str) -> object:
    kind = kind_of(text)
    node = yaml.ScalarNode(f"{_PREFIX}{kind}", text)
    match kind:
        case "null":
            return None
        case "bool":
            return bool(_CONSTRUCTOR.construct_yaml_bool(node))
        case "int":
            return int(_CONSTRUCTOR.construct_yaml_int(node))
        case "float":
            return float(_CONSTRUCTOR.construct_yaml_float(node))
        case "merge":
            raise _refusal("merge keys (<<) are not allowed", None)
    return text  # a date, too: that of PyYAML could not be written as JSON


def kind_of(text: str) -> str:
    """What PyYAML takes a text without quotes for: str, null, bool, int, float, timestamp, merge or value."""
    for tag, pattern in _RESOLVERS.get(text[:1], ()):
        if pattern.match(text):
            return str(tag.removeprefix(_PREFIX))
    return "str"
