"""From Dify's dict to a ``Params``: everything is examined here, and nowhere after.

Dify casts little and the SDK nothing: templates arrive as strings; an unset optional is missing, ``None``, ``""``
or ``[None]``. All of these mean the default.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from opskit.errors import InvalidCredentials, InvalidInput, OpskitError
from opskit.model import Params


def parse[T: Params](model: type[T], parameters: Mapping[str, Any]) -> T:
    """The parameters as a ``model``.

    InvalidInput names the first that cannot be used and says what can; InvalidCredentials a secret that is empty.
    """
    try:
        return model.model_validate(given(model, parameters))
    except ValidationError as error:
        raise _explained(error.errors(include_url=False)[0], model) from None


def given(model: type[Params], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The declared parameters that hold something, with the SDK's file objects as dicts."""
    return {
        name: [_plain(entry) for entry in value] if isinstance(value, list) else _plain(value)
        for name, value in parameters.items()
        if name in model.model_fields and not _is_blank(value)
    }


def _plain(value: object) -> object:
    return value.model_dump(exclude_none=True) if isinstance(value, BaseModel) else value


def _is_blank(value: object) -> bool:
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, (list, tuple)):
        return all(entry is None for entry in value)
    return value is None


# By the beginning of pydantic's name for what is wrong.
_WRONG_KINDS = {
    "bool": "not_a_boolean",
    "decimal": "not_a_number",
    "float": "not_a_number",
    "int": "not_a_number",
    "finite": "not_a_number",
    "string_type": "not_a_text",
    "tuple": "not_a_list",
    "dict": "not_an_object",
    "model": "not_an_object",
    "extra_forbidden": "unknown_field",
}


def _explained(detail: ErrorDetails, model: type[Params]) -> OpskitError:
    """Pydantic's finding in words that a workflow author understands."""
    path = [str(step) for step in detail["loc"]]
    name = ".".join(path)
    shown = "***" if path[0] in model.secret_names() else str(detail["input"])
    match detail["type"]:
        case "missing" if name in model.secret_names():
            return InvalidCredentials("missing_secret", name=name)
        case "missing" | "string_too_short":
            return InvalidInput("missing_parameter", name=name)
        case "literal_error":
            return InvalidInput("not_an_option", name=name, value=shown, options=detail["ctx"]["expected"])
        case "greater_than_equal" | "less_than_equal" | "greater_than" | "less_than":
            return InvalidInput("out_of_range", name=name, value=shown, bounds=_bounds(model, path[0]))
        case kind:
            for start, key in _WRONG_KINDS.items():
                if kind.startswith(start):
                    return InvalidInput(key, name=name, value=shown)
            return InvalidInput("not_usable", name=name, value=shown, problem=detail["msg"])


def _bounds(model: type[Params], name: str) -> str:
    """The range of a number as ``1 … 550``."""
    field = model.model_json_schema()["properties"][name]
    least, most = (
        next((field[word] for word in words if word in field), "")
        for words in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"))
    )
    return f"{least} … {most}"
