"""The apps, one after the other."""

import time
from collections.abc import Callable, Sequence

from opskit.dify.access import plain
from opskit.dify.console import MAX_KEYS, Console, claimed, mistakes
from opskit.errors import OpskitError, Refused, Unavailable
from opskit.history.prose import escaped
from opskit.rotation import keys, values
from opskit.rotation.desk import Desk, Standing
from opskit.rotation.order import Order, Rotated, Rotations
from opskit.wording import Locale, say

_WORK_S = 480.0  # of the 600 s of a call; the rest is for a way back


def rotate(order: Order, *, by_model: bool = False, pause: Callable[[float], None] = time.sleep) -> Rotations:
    """Renew keys or secrets, app by app; one app's failure leaves the others alone, and is a result.

    InvalidInput, InvalidCredentials, Refused, or whatever keeps everybody out of the console: something cannot be
    used, and nothing was done. ``by_model`` says that a model may have chosen the addresses: keys then only go to Dify
    itself, to private addresses, and to hosts that the operator trusts.
    """
    order.look_at(by_model=by_model)
    service = order.service(by_model=by_model)
    with Console.of(order, by_model=by_model) as console:
        desk = Desk(order, console, service, time.monotonic() + _WORK_S, pause)
        desk.secrets.extend(_given(order))
        console.about(desk.ends)
        if order.kind == "app_key" and order.phase != "retire":
            _look_at_keys(desk)
        standings = [_rotated(desk, app_id) for app_id in order.apps]
        remarks = console.remarks
    locale = order.locale(*(one.name for one in standings))
    rows = [_row(one, locale, desk.secrets) for one in standings]
    lines = [*(_line(row, order, locale) for row in rows), *(remark.told(locale) for remark in remarks)]
    return Rotations(rotated=rows, report="\n".join(lines))


def _given(order: Order) -> list[str]:
    names = order.secret_names()
    found = [(name, plain(getattr(order, name))) for name in names]
    return [part for name, text in found if text for part in order.secrets_of(name, text)]


def _look_at_keys(desk: Desk) -> None:
    """Look at the keys of all apps before anything starts.

    Refused: an app has as many as Dify allows (``rotation_keys_full``), or none has one that is to go
    (``rotation_unknown_keys``): somebody relies on its being gone afterwards.
    """
    full, known, whole = [], set(), True
    for app_id in desk.order.apps:
        try:
            keys = desk.keys(app_id, desk.ends)
        except OpskitError:
            whole = False  # told when its turn has come
            continue
        known |= {key.id for key in keys}
        if len(keys) >= MAX_KEYS:
            full.append(app_id)
    if full:
        raise Refused("rotation_keys_full", limit=MAX_KEYS, apps=", ".join(full))
    unknown = [key_id for key_id in desk.order.old_key_ids if key_id not in known]
    if unknown and whole:
        raise Refused("rotation_unknown_keys", keys=", ".join(unknown))


def _rotated(desk: Desk, app_id: str) -> Standing:
    """Where an app stands after its turn. Nobody else changes it meanwhile, nor what its new key goes into."""
    stands = Standing(app_id)
    try:
        if time.monotonic() >= desk.ends:
            raise Unavailable("rotation_no_time")
        with mistakes(), claimed(desk.console.host, app_id):
            _renewed(desk, stands)
    except OpskitError as error:
        stands.error = error
    return stands


def _renewed(desk: Desk, stands: Standing) -> None:
    order = desk.order
    if order.kind == "secret":
        values.renew(desk, stands)
        return
    if order.phase != "retire":
        receivers = {one.app_id for one in order.addresses()[stands.app_id]} - {stands.app_id}
        with claimed(desk.console.host, *receivers):
            keys.create(desk, stands)
    if order.phase == "all":
        if time.monotonic() + order.grace_s >= desk.ends:
            raise Unavailable("rotation_no_wait")
        desk.pause(order.grace_s)
    if order.phase != "create":
        keys.retire(desk, stands)


def _row(stands: Standing, locale: Locale, secrets: Sequence[str]) -> Rotated:
    key = stands.new_key
    return Rotated(
        app_id=stands.app_id,
        name=stands.name,
        state=stands.state,
        old_key_ids=stands.old_key_ids,
        new_key_id=key.id if key else "",
        new_key_last4=key.last4 if key else "",
        error=stands.error.told(locale, secrets) if stands.error else "",
    )


def _line(row: Rotated, order: Order, locale: Locale) -> str:
    """One app in the report: what its state means, and the error."""
    key = f"key_{row.state}" if order.kind == "app_key" else f"secret_{row.state}"
    if order.kind == "app_key" and order.phase == "retire" and row.state == "done":
        key = "key_retired"
    told = say(locale, f"rotation.{key}", last4=row.new_key_last4, variable=order.variable)
    error = f" {escaped(row.error)}" if row.error else ""
    return f"- **{escaped(row.name) or row.app_id}**: {told}{error}"
