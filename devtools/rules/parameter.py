"""Rules for the parameters of tools."""

import re
from collections import Counter
from collections.abc import Iterator

from devtools.rules.documents import Parameter
from devtools.rules.plugin import Plugin
from devtools.rules.rulebook import Finding, rule

# The types of Dify's API up to 1.13; `date` and `date-range` came later, `array[tools]` is for agents.
_PARAMETER_TYPES = (
    "string",
    "number",
    "boolean",
    "checkbox",
    "select",
    "secret-input",
    "file",
    "files",
    "app-selector",
    "model-selector",
    "any",
    "dynamic-select",
    "array",
    "object",
)
_STRUCTURED = ("object", "array")
_SELECTORS = ("app-selector", "model-selector")
_FILES = ("file", "files")
_TRUTHS = ("boolean", "checkbox")
_SCOPES = {
    "app-selector": {"all", "chat", "workflow", "completion"},
    "model-selector": {
        "llm",
        "text-embedding",
        "rerank",
        "tts",
        "speech2text",
        "moderation",
        "vision",
        "document",
        "tool-call",
    },
    "any": {"string", "number", "object", "array[number]", "array[string]", "array[object]", "array[file]"},
}
_LONGEST_NAME = 1023
_INERT = ("placeholder", "show_on", "input_schema")


def bad_scope(kind: str, scope: str) -> bool:
    """Whether this type has no scope, or another one. Several are joined with `&`."""
    return not {part.strip() for part in scope.split("&")} <= _SCOPES.get(kind, set())


def _parameters(plugin: Plugin) -> Iterator[tuple[str, Parameter]]:
    for path, tool in plugin.tools.items():
        for parameter in tool.parameters:
            yield path, parameter


@rule
def inert_key(plugin: Plugin) -> Iterator[Finding]:
    """Keys that the SDK knows and Dify drops: they promise what never happens."""
    for path, parameter in _parameters(plugin):
        for key in _INERT:
            if getattr(parameter, key) is not None:
                yield path, f"{parameter.name}: {key} has no effect on a tool's parameter"


@rule
def parameter_name(plugin: Plugin) -> Iterator[Finding]:
    """The daemon allows 1023 characters; snake_case makes a name a field of the parameters' model."""
    for path, parameter in _parameters(plugin):
        if not re.fullmatch(r"[a-z][a-z0-9_]*", parameter.name) or len(parameter.name) > _LONGEST_NAME:
            yield (
                path,
                f"parameter {parameter.name[:80]!r} is not a snake_case name of at most {_LONGEST_NAME}",
            )


@rule
def parameter_unique(plugin: Plugin) -> Iterator[Finding]:
    """Two parameters with one name arrive as one."""
    for path, tool in plugin.tools.items():
        for name, count in Counter(parameter.name for parameter in tool.parameters).items():
            if count > 1:
                yield path, f"parameter {name!r} is defined {count} times"


@rule
def parameter_type(plugin: Plugin) -> Iterator[Finding]:
    """The packager accepts any word; Dify up to 1.13 knows neither `date` nor `date-range`."""
    for path, parameter in _parameters(plugin):
        if parameter.type not in _PARAMETER_TYPES:
            yield path, f"{parameter.name}: {parameter.type!r} is not a type of parameter"


@rule
def structured_parameter(plugin: Plugin) -> Iterator[Finding]:
    """An object that does not parse arrives as `{}` without a word: take a string and parse it ourselves."""
    for path, parameter in _parameters(plugin):
        if parameter.type in _STRUCTURED:
            yield path, f"{parameter.name}: {parameter.type} loses what it cannot parse; use string"


@rule
def optional_selector(plugin: Plugin) -> Iterator[Finding]:
    """An agent silently loses a tool whose optional selector is left empty."""
    for path, parameter in _parameters(plugin):
        if parameter.type in _SELECTORS and not parameter.required:
            yield path, f"{parameter.name}: an {parameter.type} must be required, or be a string"


@rule
def required_file(plugin: Plugin) -> Iterator[Finding]:
    """An agent loses a tool that requires a file: which source is given is our own check."""
    for path, parameter in _parameters(plugin):
        if parameter.type in _FILES and parameter.required:
            yield path, f"{parameter.name}: a {parameter.type} parameter is required"


@rule
def parameter_form(plugin: Plugin) -> Iterator[Finding]:
    """Who fills the parameter; the packager accepts any word."""
    for path, parameter in _parameters(plugin):
        if parameter.form not in ("schema", "form", "llm"):
            yield path, f"{parameter.name}: form {parameter.form!r} is not schema, form or llm"


@rule
def secret_input(plugin: Plugin) -> Iterator[Finding]:
    """Dify keeps a node's settings in its cache for a day once a `secret-input` among them is set.

    All of them: the next runs get yesterday's values, whatever the variables that they are bound to hold by then
    (langgenius/dify#40920). A secret is a string that is bound to a secret environment variable.
    """
    for path, parameter in _parameters(plugin):
        if parameter.type == "secret-input":
            yield path, f"{parameter.name}: a secret-input freezes all settings of its node for a day; use string"


@rule
def llm_description(plugin: Plugin) -> Iterator[Finding]:
    """What a model is to fill needs words for the model."""
    for path, parameter in _parameters(plugin):
        if parameter.form == "llm" and not parameter.llm_description:
            yield path, f"{parameter.name}: form llm without llm_description"


@rule
def auto_generate_type(plugin: Plugin) -> Iterator[Finding]:
    """The daemon knows one type."""
    for path, parameter in _parameters(plugin):
        if parameter.auto_generate and parameter.auto_generate.type != "prompt_instruction":
            yield path, f"{parameter.name}: auto_generate.type is not prompt_instruction"


@rule
def multiple_choice(plugin: Plugin) -> Iterator[Finding]:
    """Multi-selects differ between Dify's versions; lists are strings here."""
    for path, parameter in _parameters(plugin):
        if parameter.multiple is not None:
            yield path, f"{parameter.name}: multiple is not used"


@rule
def parameter_scope(plugin: Plugin) -> Iterator[Finding]:
    """Only selectors and `any` have a scope; `advanced-chat` is none."""
    for path, parameter in _parameters(plugin):
        if parameter.scope is not None and bad_scope(parameter.type, parameter.scope):
            yield path, f"{parameter.name}: scope {parameter.scope!r} is not valid for {parameter.type}"


@rule
def select_options(plugin: Plugin) -> Iterator[Finding]:
    """A select without options cannot be filled; elsewhere Dify shows no options."""
    for path, parameter in _parameters(plugin):
        if parameter.type == "select" and not parameter.options:
            yield path, f"{parameter.name}: a select without options"
        if parameter.type != "select" and parameter.options:
            yield path, f"{parameter.name}: options on a {parameter.type}"


@rule
def select_default(plugin: Plugin) -> Iterator[Finding]:
    """A default that is not an option shows as empty and is sent all the same."""
    for path, parameter in _parameters(plugin):
        values = [option.value for option in parameter.options or []]
        if values and isinstance(parameter.default, str) and parameter.default not in values:
            yield path, f"{parameter.name}: default {parameter.default!r} is not among its options"


@rule
def number_bounds(plugin: Plugin) -> Iterator[Finding]:
    """A minimum is not above the maximum, and a default lies between them."""
    for path, parameter in _parameters(plugin):
        low = float("-inf") if parameter.min is None else parameter.min
        high = float("inf") if parameter.max is None else parameter.max
        if low > high:
            yield path, f"{parameter.name}: min {low} is above max {high}"
        elif _is_number(parameter.default) and not low <= parameter.default <= high:
            yield path, f"{parameter.name}: default {parameter.default} is not within {low} to {high}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@rule
def default_type(plugin: Plugin) -> Iterator[Finding]:
    """YAML makes a truth value of `no` and a number of `1`: a default of another type than its parameter."""
    for path, parameter in _parameters(plugin):
        default = parameter.default
        if parameter.type in _TRUTHS:
            fits = isinstance(default, bool)
        elif parameter.type == "number":
            fits = _is_number(default)
        else:
            fits = isinstance(default, str)
        if default is not None and not fits:
            yield path, f"{parameter.name}: default {default!r} does not fit {parameter.type}"


@rule
def required_default(plugin: Plugin) -> Iterator[Finding]:
    """A required parameter that has a default is not required."""
    for path, parameter in _parameters(plugin):
        if parameter.required and parameter.default is not None:
            yield path, f"{parameter.name}: required, and with a default"


@rule
def optional_default(plugin: Plugin) -> Iterator[Finding]:
    """Every optional parameter states what happens when it is left out, with `default` or in words.

    An empty default has no value to write down: then the description says that it is empty, or what takes its place.
    """
    for path, parameter in _parameters(plugin):
        if (
            not parameter.required
            and parameter.default is None
            and parameter.type not in (*_SELECTORS, *_STRUCTURED)
            and not re.search(r"\bdefault\b", parameter.human_description.english, re.IGNORECASE)
        ):
            yield path, f"{parameter.name}: optional, and its description does not say what its default is"


@rule
def default_in_words(plugin: Plugin) -> Iterator[Finding]:
    """The default is also in the description, where the builder of a workflow reads it."""
    for path, parameter in _parameters(plugin):
        if parameter.required or parameter.default in (None, ""):
            continue
        wordings = _wordings(parameter)
        text = parameter.human_description.english
        if not any(re.search(rf"(?<![\w.]){re.escape(w)}(?!\w|\.\d)", text, re.IGNORECASE) for w in wordings):
            yield path, f"{parameter.name}: the description does not say its default, {wordings[0]}"


def _wordings(parameter: Parameter) -> list[str]:
    """The ways to say a default: on for true, 1,000 for 1000, an option's label for its value."""
    default = parameter.default
    if isinstance(default, bool):
        # "on" and "no" alone stand in many a sentence that says nothing about the default.
        state = "on" if default else "off"
        return [
            "true" if default else "false",
            f"{state} by default",
            f"default {state}",
            f"default: {state}",
        ]
    if isinstance(default, int | float):
        return [f"{default}", f"{default:g}", f"{default:,}"]
    return [
        str(default),
        *(option.label.english for option in parameter.options or [] if option.value == default),
    ]
