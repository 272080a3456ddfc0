"""Rules for endpoint groups and their endpoints."""

import re
from collections import Counter
from collections.abc import Iterator

from devtools.rules.documents import Setting
from devtools.rules.parameter import bad_scope
from devtools.rules.plugin import Plugin
from devtools.rules.rulebook import Finding, rule

_METHODS = ("HEAD", "GET", "POST", "PUT", "DELETE", "OPTIONS")
_SETTING_TYPES = (
    "secret-input",
    "text-input",
    "select",
    "boolean",
    "app-selector",
    "model-selector",
    "array[tools]",
)
_MOST_SETTINGS = 64
_LONGEST_VALUE = 127


def _settings(plugin: Plugin) -> Iterator[tuple[str, Setting]]:
    for path, group in plugin.groups.items():
        for setting in group.settings:
            yield path, setting


@rule
def endpoint_path(plugin: Plugin) -> Iterator[Finding]:
    """A path is a werkzeug rule, and those begin with a slash."""
    for path, endpoint in plugin.endpoints.items():
        if not endpoint.path.startswith("/"):
            yield path, f"path {endpoint.path!r} does not begin with /"


@rule
def endpoint_method(plugin: Plugin) -> Iterator[Finding]:
    """Dify forwards six methods; PATCH passes the packager and is never called."""
    for path, endpoint in plugin.endpoints.items():
        if endpoint.method not in _METHODS:
            yield path, f"method {endpoint.method!r} is not one of {', '.join(_METHODS)}"


@rule
def setting_count(plugin: Plugin) -> Iterator[Finding]:
    """The daemon rejects an endpoint with more settings."""
    for path, group in plugin.groups.items():
        if len(group.settings) > _MOST_SETTINGS:
            yield path, f"{len(group.settings)} settings are more than {_MOST_SETTINGS}"


@rule
def setting_name(plugin: Plugin) -> Iterator[Finding]:
    """A setting's name is a key of the dict that the endpoint receives."""
    for path, setting in _settings(plugin):
        if not re.fullmatch(r"[a-z][a-z0-9_]*", setting.name):
            yield path, f"setting {setting.name!r} is not in snake_case"


@rule
def setting_unique(plugin: Plugin) -> Iterator[Finding]:
    """Of two settings with one name the daemon keeps the last."""
    for path, group in plugin.groups.items():
        for name, count in Counter(setting.name for setting in group.settings).items():
            if count > 1:
                yield path, f"setting {name!r} is defined {count} times"


@rule
def setting_type(plugin: Plugin) -> Iterator[Finding]:
    """The types of a ProviderConfig, fewer than those of a tool's parameter."""
    for path, setting in _settings(plugin):
        if setting.type not in _SETTING_TYPES:
            yield path, f"setting {setting.name!r}: {setting.type!r} is not a type of setting"


@rule
def setting_options(plugin: Plugin) -> Iterator[Finding]:
    """A select has options, each shorter than 128 characters."""
    for path, setting in _settings(plugin):
        if setting.type == "select" and not setting.options:
            yield path, f"setting {setting.name!r} is a select without options"
        for option in setting.options or []:
            if len(option.value) > _LONGEST_VALUE:
                yield (
                    path,
                    f"setting {setting.name!r}: an option's value is longer than {_LONGEST_VALUE} characters",
                )


@rule
def setting_default(plugin: Plugin) -> Iterator[Finding]:
    """A default is a text, a number or a truth value, and a select's is one of its options."""
    for path, setting in _settings(plugin):
        if not isinstance(setting.default, str | int | float | None):
            yield path, f"setting {setting.name!r}: the default is not a basic value"
        elif setting.options and setting.default not in (None, *(option.value for option in setting.options)):
            yield path, f"setting {setting.name!r}: default {setting.default!r} is not among its options"


@rule
def setting_scope(plugin: Plugin) -> Iterator[Finding]:
    """Only selectors have a scope."""
    for path, setting in _settings(plugin):
        if setting.scope is not None and bad_scope(setting.type, setting.scope):
            yield path, f"setting {setting.name!r}: scope {setting.scope!r} is not valid for {setting.type}"
