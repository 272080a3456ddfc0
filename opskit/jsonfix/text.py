"""What is asked of a text that should be JSON, and what became of it."""

import warnings
from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from opskit.model import Item, Params, Result

MAX_TEXT = 20 * 1024 * 1024  # characters
MAX_JSON = 4 * 1024 * 1024  # bytes of a result that goes into variables; Dify ends a plugin at a line of 5 MiB
MAX_CHANGES = 1_000  # listed in the variable; all of them are in the file changes.json
MAX_DEPTH = 500

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message='Field name "schema"')  # the users' word, and no method of ours is lost

    class Gate(Params):
        """What JSON has to pass: a schema, and what happens where it does not."""

        schema: str = Field(default="")  # type: ignore[assignment]
        fallback: str = ""
        on_invalid: Literal["fail", "fallback", "report"] = "fail"


class Text(Gate):
    """A text that should be JSON, and how much may be done to it."""

    text: str = Field(min_length=1)
    repair: bool = True
    coerce: Literal["off", "safe", "full"] = "safe"
    prefer: Literal["best", "first", "last"] = "best"
    max_depth: int = Field(default=MAX_DEPTH, ge=1, le=MAX_DEPTH)


class Change(Item):
    """One replacement on the input. All of them, applied in their order, give ``json_text``."""

    model_config = ConfigDict(serialize_by_alias=True)

    kind: Literal["syntax", "coercion"] = Field(description="Whether JSON or the schema asks for it.")
    path: str = Field(description="JSON Pointer (RFC 6901) in the result.")
    offset: int = Field(description="Characters (Unicode code points) of the input before it.")
    length: int = Field(description="Characters of the input that are replaced.")
    line: int = Field(description="From 1.")
    column: int = Field(description="From 1, in characters.")
    old: str = Field(serialization_alias="from", description="What stood there; long texts are shortened.")
    to: str = Field(description="What stands there now.")
    why: str = Field(description="The reason, as a sentence.")


class Trouble(Item):
    """One thing that is wrong, or odd."""

    code: str = Field(description="The keyword of the schema that is not met, or a code such as no_json.")
    path: str = Field(description="JSON Pointer (RFC 6901) in the result.")
    message: str = Field(description="The problem as a sentence.")


class Repaired(Result):
    """JSON that is valid and conforms, or what is wrong with it."""

    model_config = ConfigDict(serialize_by_alias=True)
    said_in_text: ClassVar[frozenset[str]] = frozenset({"report"})

    valid: bool = Field(description="Whether json_text is JSON and conforms to the schema.")
    status: Literal["unchanged", "repaired", "coerced", "fallback", "invalid"] = Field(description="What was done.")
    result: dict[str, Any] = Field(description='The value; one that is no object is {"value": …}.')
    json_text: str = Field(description="The exact JSON text.")
    changes: list[Change] = Field(description="Replacements on the input that yield json_text; 1,000 at the most.")
    problems: list[Trouble] = Field(description="What does not conform, or is odd.")
    confidence: float = Field(description="From 0 to 1; of answers with 0.9 or more, 99 of 100 are right.")
    dropped_text: str = Field(description="What stood before and behind the JSON.")
    fallback_used: bool = Field(description="Whether the fallback stands in place of the text.")
    oversize: bool = Field(description="Whether the JSON went into the file result.json, being too large.")


# Dify's model selector: {provider, model, model_type, mode, completion_params}.
type ModelChoice = Annotated[dict[str, Any], WithJsonSchema({"type": "model-selector"})]


class Request(Gate):
    """A text that should be JSON, and the model to ask where it cannot be repaired."""

    text: str = Field(min_length=1)
    instruction: str = ""
    model: ModelChoice
    attempts: int = Field(default=2, ge=1, le=3)


class Usage(Item):
    """What the answers of the model took, added up."""

    prompt_tokens: int = Field(description="Tokens that the model read.")
    completion_tokens: int = Field(description="Tokens that it wrote.")
    total_tokens: int = Field(description="Both together.")
    total_price: str = Field(description="As a decimal number; 0 where the model has no price in Dify.")
    currency: str = Field(description="Of the price; empty where it is not known.")


class Regenerated(Repaired):
    """JSON that is valid and conforms, or what is wrong with it, and what the model had to do with it."""

    attempts: int = Field(description="How often the model was asked; 0 where repair was enough.")
    usage: Usage = Field(description="Tokens and price of the answers.")
