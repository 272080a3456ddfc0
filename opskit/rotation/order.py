"""What a rotation takes and gives."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from opskit import http, webhook
from opskit.dify.access import Access, is_uuid, plain
from opskit.dify.console import HIDDEN, MASK, ConsoleAccess
from opskit.errors import InvalidCredentials, InvalidInput, Refused
from opskit.model import AS_TEXT, STRUCTURED, Item, Key, Line, Listed, Result

MAX_WAIT_S = 400.0  # for the grace times of all apps together: a call of a tool is cut off after 600
_TARGET = re.compile(r"(?:(?P<of>[^=]+)=)?(?P<app>[^=:]+):(?P<variable>[A-Za-z_]\w*)", re.ASCII)

type State = Literal["done", "created", "reverted", "untouched", "failed"]


@dataclass(frozen=True, slots=True)
class Address:
    """A secret environment variable that a new key goes into."""

    app_id: str
    variable: str


class Order(ConsoleAccess):
    """What is to be renewed, where, and who gets to know of it."""

    kind: Literal["app_key", "secret"]
    app_ids: Listed
    phase: Literal["all", "create", "retire"] = "all"
    grace_s: float = Field(default=60, ge=0, le=200)
    old_key_ids: Listed = ()
    deliver_to: Listed = ()
    webhook_url: Line = ""
    webhook_secret: Key | None = None
    force_retire: bool = False
    variable: Line = ""
    new_value: Key | None = None
    dirty_draft: Literal["conflict", "preserve"] = "conflict"
    probe_inputs: Annotated[dict[str, Any], STRUCTURED, AS_TEXT] = Field(default_factory=dict)
    probe_keys: Key | None = None

    @classmethod
    def secrets_of(cls, name: str, value: str) -> list[str]:
        """Of the probes' keys those alone: errors name the apps."""
        return Access.secrets_of("app_keys", value) if name == "probe_keys" else super().secrets_of(name, value)

    @property
    def apps(self) -> tuple[str, ...]:
        """The ids of the apps, each once: Dify takes them in any case."""
        return tuple(dict.fromkeys(app_id.lower() for app_id in self.app_ids))

    def probes(self) -> Mapping[str, str]:
        """The keys that apps are probed with, by the ids of the apps. InvalidCredentials: they are no pairs."""
        if "{{#" in plain(self.probe_keys):
            raise InvalidCredentials("unfilled_secret", name="probe_keys")
        try:
            pairs = Access(app_keys=self.probe_keys).keys()
        except InvalidCredentials:
            raise InvalidCredentials("rotation_probe_keys") from None
        return {app.lower(): key for app, key in pairs.items()}

    def addresses(self) -> Mapping[str, tuple[Address, ...]]:
        """Where the new key of each app goes. InvalidInput: not ``app_id:VARIABLE``, or two of one app."""
        found: dict[str, tuple[Address, ...]] = dict.fromkeys(self.apps, ())
        for entry in self.deliver_to:
            match = _TARGET.fullmatch(entry)
            parts = {name: (text or "").strip() for name, text in match.groupdict().items()} if match else {}
            of = parts.get("of", "").lower() or (self.apps[0] if len(self.apps) == 1 else "")
            app = parts.get("app", "").lower()
            if of not in found or not is_uuid(app):
                raise InvalidInput("rotation_deliver_to", value=entry)
            if app in {one.app_id for one in found[of]}:
                raise InvalidInput("rotation_deliver_twice", value=app)
            found[of] += (Address(app, parts["variable"]),)
        return found

    def look_at(self, *, by_model: bool = False) -> None:
        """Look at everything before anything starts. InvalidInput, InvalidCredentials: it cannot be used.

        Refused ``host_not_trusted``: a model may have chosen the webhook (``by_model``), and the operator does not
        trust its host.
        """
        if not self.apps:
            raise InvalidInput("missing_parameter", name="app_ids")
        for app in self.apps:
            if not is_uuid(app):
                raise InvalidInput("rotation_app_id", value=app)
        if self.kind == "secret":
            self._look_at_secret()
        else:
            self._look_at_keys()
            self._look_at_webhook(by_model=by_model)

    def _look_at_secret(self) -> None:
        value = plain(self.new_value)
        if not self.variable:
            raise InvalidInput("missing_parameter", name="variable")
        if not value:
            raise InvalidCredentials("missing_secret", name="new_value")
        if "{{#" in value:
            raise InvalidCredentials("unfilled_secret", name="new_value")
        if value in {HIDDEN, MASK}:
            raise InvalidCredentials("rotation_masked")
        probes = self.probes()
        if self.probe_inputs and not probes:
            raise InvalidCredentials("missing_secret", name="probe_keys")
        for app in probes:
            if app not in self.apps:
                raise InvalidInput("rotation_probe_app", value=app)

    def _look_at_keys(self) -> None:
        if self.phase == "retire" and not self.old_key_ids:
            raise InvalidInput("missing_parameter", name="old_key_ids")
        if self.phase == "all" and len(self.apps) * self.grace_s > MAX_WAIT_S:
            raise InvalidInput("rotation_too_long", limit=f"{MAX_WAIT_S:.0f}", apps=len(self.apps))
        told = self.addresses()
        if self.phase == "all" and not self.webhook_url and not all(told.values()):
            raise InvalidInput("rotation_nobody_told")

    def _look_at_webhook(self, *, by_model: bool) -> None:
        if not self.webhook_url:
            return
        webhook.checked_target(self.webhook_url, plain(self.webhook_secret))
        url = http.checked_url(self.webhook_url)
        if url.scheme != "https":
            raise InvalidInput("rotation_webhook_https")
        if by_model and http.secret_reach(url.host) is not http.Reach.INTERNAL:
            raise Refused("host_not_trusted", host=url.host)


class Rotated(Item):
    """Where one app stands."""

    app_id: str = Field(description="The app.")
    name: str = Field(description="Its name; empty where it could not be asked for.")
    state: State = Field(
        description=(
            "done; created (the new key works, the old ones still do); reverted (put back as it was); untouched; "
            "failed (see error: somebody has to look)."
        )
    )
    old_key_ids: list[str] = Field(description="The old keys. Unless the state is done they are still there.")
    new_key_id: str = Field(description="The new key; empty where there is none.")
    new_key_last4: str = Field(description="Its last four characters.")
    error: str = Field(description="Why it stands there; empty where all went well.")


class Rotations(Result):
    """Where all apps stand."""

    rotated: list[Rotated] = Field(description="In the order of app_ids.")
    report: str = Field(description="Where each app stands, Markdown.")
