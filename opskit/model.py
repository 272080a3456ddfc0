"""The two base models, and the field types that Dify's strings become.

A ``Params`` is what a tool takes, a ``Result`` what it gives. Both are frozen. Facts about a parameter (type,
default, bounds, options) stand here; its words stand in ``tools/<tool>.yaml``, and a checker compares the two.
"""

import ast
import json
import re
from collections.abc import Callable
from decimal import MAX_PREC, ROUND_HALF_UP, Context, Decimal
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from opskit.errors import InvalidInput
from opskit.wording import Locale, resolve, well_formed

MAX_DIGITS = 15  # what a double holds exactly (IEEE 754 binary64, DBL_DIG), and so what survives any JSON reader
_CENTS = 2  # decimal places
_MAX_PYTHON = 100_000  # characters; Python's own notation is read by a parser that is slow and hungry
MAX_EXPONENT = 300  # likewise: beyond 1e308 a double is infinite, below 1e-308 it loses digits


class Params(BaseModel):
    """What a tool takes. Unknown keys are ignored: an old workflow may still send a parameter that is gone."""

    model_config = ConfigDict(
        frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True, validate_default=False, allow_inf_nan=False
    )

    language: Literal["auto", "zh_Hans", "en_US"] = "auto"

    @model_validator(mode="before")
    @classmethod
    def _well_formed(cls, values: Any) -> Any:
        return mended(values)

    def locale(self, *samples: object) -> Locale:
        """The language to answer in: the chosen one, or that of the samples."""
        return resolve(self.language, *samples)

    @classmethod
    def secret_names(cls) -> frozenset[str]:
        """The names of the parameters whose values must never be shown."""
        return frozenset(name for name, field in cls.model_fields.items() if SecretStr in _types(field.annotation))

    @classmethod
    def secrets_of(cls, name: str, value: str) -> list[str]:  # noqa: ARG003 - a model may know more of a parameter
        """The parts of a secret parameter's value that must never be shown: all of it."""
        return [value]


class Result(BaseModel):
    """What a tool gives: every field becomes a workflow variable of its name, and ``report`` the node's text."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    # Fields that repeat the text word for word: an agent reads that already.
    said_in_text: ClassVar[frozenset[str]] = frozenset({"report"})
    # Fields that have been streamed while the work was going on.
    streamed: ClassVar[frozenset[str]] = frozenset()

    report: str = Field(description="The result in words, Markdown.")

    def variables(self) -> dict[str, Any]:
        """The fields as JSON values, in the order of declaration, which is the order of importance."""
        return self.model_dump(mode="json")


class Attachment(NamedTuple):
    """A file that a tool gives beside its result; ``content`` makes it when its turn has come."""

    filename: str
    mime_type: str
    content: Callable[[], bytes]


class Item(BaseModel):
    """A row inside a result's list, or an entry inside a parameter's JSON."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, hide_input_in_errors=True)


class FileReference(BaseModel):
    """A file that Dify holds: where it can be fetched, and what is said about it. ``size`` is in bytes."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    url: str
    filename: str = ""
    extension: str = ""
    mime_type: str = ""
    type: str = ""
    size: int | None = None


def _types(annotation: object) -> set[object]:
    """The annotation and everything inside it: ``SecretStr | None`` holds ``SecretStr``."""
    inner = getattr(annotation, "__args__", ())
    return {annotation}.union(*(_types(argument) for argument in inner))


def mended(value: object) -> object:
    """A JSON value whose texts can all be written as UTF-8 (see ``wording.well_formed``)."""
    match value:
        case str():
            return well_formed(value)
        case dict():
            return {mended(name): mended(entry) for name, entry in value.items()}
        case list() | tuple():
            return [mended(entry) for entry in value]
        case _:
            return value


def structured(value: object, info: ValidationInfo) -> object:
    """The value that a structured parameter's text stands for; ``InvalidInput`` names the parameter.

    Workflows pass JSON text. A list or object that was rendered into a template may arrive as Python's own
    notation instead, and an agent may hand over the list itself: all three are read.
    """
    if not isinstance(value, str):
        return value
    try:
        try:
            return mended(json.loads(value))
        except ValueError as error:
            problem = str(error)
        return mended(ast.literal_eval(value.strip() if len(value) <= _MAX_PYTHON else ""))
    except RecursionError:
        problem = "nested too deeply"
    except (ValueError, SyntaxError, TypeError, MemoryError):
        pass
    raise InvalidInput("not_json", name=info.field_name, problem=problem)


def listed(value: object, info: ValidationInfo) -> object:
    """The entries of a list written with commas (also full-width ones), semicolons or line breaks, or as JSON."""
    if isinstance(value, str) and value.strip().startswith("["):
        value = structured(value, info)
    if isinstance(value, str):
        value = re.split(r"[,，、;；\r\n]+", value)
    if isinstance(value, (list, tuple)):
        return tuple(text for entry in value if (text := str(entry).strip()))
    return (str(value),)


def exact(value: Decimal) -> Decimal:
    """The value itself, or rounded half up to 15 digits where its cents still stand; else refused.

    More digits are lost on the way: no JSON number reads back as the same Decimal.
    """
    normal = value.normalize(Context(prec=MAX_PREC))
    if abs(normal.adjusted()) > MAX_EXPONENT:
        raise InvalidInput("too_many_digits", value=value, limit=MAX_DIGITS)
    if len(normal.as_tuple().digits) <= MAX_DIGITS:
        return value
    if normal.adjusted() >= MAX_DIGITS - _CENTS:
        raise InvalidInput("too_many_digits", value=value, limit=MAX_DIGITS)
    return normal.normalize(Context(prec=MAX_DIGITS, rounding=ROUND_HALF_UP))


def json_number(value: Decimal) -> int | float:
    """An exact Decimal as a JSON number, whole where it is whole."""
    return int(value) if value == value.to_integral_value() else float(value)


# A list of names in one text, such as "a, b".
Listed = Annotated[tuple[str, ...], BeforeValidator(listed), WithJsonSchema({"type": "string"})]
# A key, stripped of the spaces and line breaks that copying leaves around it.
Key = Annotated[SecretStr, BeforeValidator(lambda value: value.strip() if isinstance(value, str) else value)]
# A name or address in one line.
Line = Annotated[str, StringConstraints(strip_whitespace=True)]
# A sum or quantity that is exact to 15 digits.
Exact = Annotated[
    Decimal,
    AfterValidator(exact),
    PlainSerializer(json_number, return_type=int | float, when_used="json"),
    WithJsonSchema({"type": "number"}, mode="serialization"),
]
# A mean or a share, rounded to so many places that it needs no limit.
Rounded = Annotated[
    Decimal,
    PlainSerializer(json_number, return_type=int | float, when_used="json"),
    WithJsonSchema({"type": "number"}, mode="serialization"),
]
# Valid entries of a JSON parameter are declared as `Annotated[tuple[X, ...], STRUCTURED, AS_TEXT]`.
STRUCTURED = BeforeValidator(structured)
AS_TEXT = WithJsonSchema({"type": "string"})
# Files from Dify.
FilesParameter = Annotated[tuple[FileReference, ...], WithJsonSchema({"type": "files"})]
FileParameter = Annotated[FileReference, WithJsonSchema({"type": "file"})]
