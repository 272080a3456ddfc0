"""What a check takes and gives."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo

from opskit.dify import Access
from opskit.dify.console import ConsoleAccess
from opskit.health.entries import entries, robot_keys, url_secrets
from opskit.model import AS_TEXT, Item, Key, Result, structured

type Kind = Literal["app", "console", "robot", "webhook", "url"]
type State = Literal["healthy", "failed", "unverified"]


def _prompts(value: object, info: ValidationInfo) -> object:
    """What apps are asked: an object, or one text for all of them."""
    if isinstance(value, str) and not value.strip().startswith("{"):
        return {"query": value}
    return structured(value, info)


class Checkup(Access, ConsoleAccess):
    """Keys and addresses to look at."""

    robots: Key | None = None
    webhooks: Key | None = None
    webhook_secret: Key | None = None
    urls: Key | None = None
    deep: bool = False
    prompts: Annotated[dict[str, Any], BeforeValidator(_prompts), AS_TEXT] = Field(default_factory=dict)
    fail_on: Literal["none", "any"] = "none"
    allow_private: bool = False
    timeout_s: float = Field(default=10, ge=1, le=550)

    @classmethod
    def secrets_of(cls, name: str, value: str) -> list[str]:
        """Tokens and secrets without the names beside them, and what stands behind the host of an address."""
        match name:
            case "robots":
                return [key for _, text in entries(value) for key in robot_keys(text) if key]
            case "webhooks" | "urls":
                return [secret for _, url in entries(value, urls=True) for secret in url_secrets(url)]
        return super().secrets_of(name, value)


class Check(Item):
    """One thing that was looked at."""

    name: str = Field(description="As in the parameter; console for the console.")
    kind: Kind = Field(description="What it is: the key of an app, the console, a robot, a webhook, an address.")
    ok: bool = Field(description="Whether it is healthy.")
    state: State = Field(description="failed does not work; unverified could not be told.")
    latency_ms: int = Field(description="Time until that was known in milliseconds.")
    code: str = Field(description="What was found, as a key to branch on; of a failure the key of its error.")
    message: str = Field(description="What was found, in words.")
    fix: str = Field(description="What to do about it; empty where there is nothing to do.")


class Checks(Result):
    """What was found about all of them."""

    checks: list[Check] = Field(description="In the order of the parameters: apps, console, robots, webhooks, urls.")
    healthy: int = Field(description="How many are healthy.")
    failed: int = Field(description="How many have failed; neither of both are those that are unverified.")
    report: str = Field(description="All findings for a group, failures first, Markdown.")
