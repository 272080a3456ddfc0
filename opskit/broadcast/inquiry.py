"""What a broadcast takes and gives."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from opskit.dify import Access
from opskit.model import AS_TEXT, STRUCTURED, FilesParameter, Item, Line, Listed, Result, Rounded

MAX_PARALLEL = 200


class Inquiry(Access):
    """A question to many apps, and when that is answered."""

    query: str = ""
    inputs: Annotated[dict[str, Any], STRUCTURED, AS_TEXT] = Field(default_factory=dict)
    choose: Listed = ()
    files: FilesParameter = ()
    targets: Listed = ()
    file_input: Line = ""
    mode: Literal["all", "first_success", "quorum", "best_of", "merge"] = "all"
    quorum: int | None = Field(default=None, ge=1, le=MAX_PARALLEL)
    judge: Line = ""
    timeout_s: float = Field(default=60, ge=1, le=550)
    deadline_s: float = Field(default=120, ge=1, le=550)
    max_parallel: int = Field(default=8, ge=1, le=MAX_PARALLEL)
    retries: int = Field(default=0, ge=0, le=5)
    idempotent: bool = False


class Answer(Item):
    """What one app answered, or why it did not."""

    target: str = Field(description="Name or app id, as in targets.")
    status: Literal["ok", "failed", "timeout", "skipped", "stopped"] = Field(description="How it ended.")
    answer: str = Field(description="The text; of a workflow its text output. What had come when it was cut off.")
    outputs: dict[str, Any] = Field(description="The outputs of a workflow or chatflow; empty for other apps.")
    error: str = Field(description="Why there is no answer; empty where there is one.")
    elapsed_ms: int = Field(
        description="From the first request to it to its end in milliseconds; 0 where it was not asked."
    )
    tokens: int | None = Field(description="Tokens used; null where Dify does not tell.")
    cost: Rounded | None = Field(description="Price of the tokens; null where Dify does not tell: workflows have none.")
    currency: str = Field(description="Of the price; empty where there is none.")
    run_id: str = Field(description="The run of a workflow or chatflow in Dify's logs; empty for other apps.")


class Answers(Result):
    """The answers of all apps that were asked."""

    said_in_text: ClassVar[frozenset[str]] = frozenset({"report", "progress"})
    streamed: ClassVar[frozenset[str]] = frozenset({"progress"})

    answers: list[Answer] = Field(description="In the order of targets.")
    succeeded: int = Field(description="How many have the status ok.")
    failed: int = Field(description="How many have the status failed or timeout.")
    total_tokens: int = Field(description="Of all answers and of the judge, as far as Dify tells.")
    elapsed_ms: int = Field(description="Time taken in milliseconds.")
    winner: str = Field(description="The first (first_success) or best (best_of) target; empty in other modes.")
    report: str = Field(description="The answers compared, Markdown; for merge one under the other.")
    progress: str = Field(description="What happened when, line by line; streamed.")
