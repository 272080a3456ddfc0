"""An app's key: a new one is made, proved and handed over; then the old one is deleted, and proved to be gone."""

import time
from collections.abc import Collection, Sequence

from opskit import webhook
from opskit.dify.access import plain
from opskit.dify.console import AppKey, mistakes
from opskit.dify.service import App
from opskit.errors import InvalidCredentials, OpskitError, Refused, Unavailable
from opskit.rotation.desk import Desk, Standing
from opskit.rotation.order import Address
from opskit.rotation.place import Place
from opskit.rotation.values import gone_back

_DELIVERY_S = 30.0


def create(desk: Desk, stands: Standing) -> None:
    """Make a new key, prove it and hand it over. Whatever is raised: ``stands`` says how far it came.

    Where proof or hand-over fails, everything is put back and the new key deleted.
    """
    stands.name = desk.console.app(stands.app_id, desk.ends).name
    before = desk.keys(stands.app_id, desk.ends)
    stands.old_key_ids = _old(desk, before)
    places = [
        Place.found(desk, one.app_id, one.variable, desk.order.dirty_draft) for one in _addresses(desk, stands.app_id)
    ]
    key = stands.new_key = _made(desk, stands, {one.id for one in before})
    stands.state = "failed"
    begun: list[Place] = []
    try:
        with mistakes():
            _prove(desk, key)
            for place in places:
                begun.append(place)
                place.put(key.token)
                place.finish(key.token)
            _tell(desk, stands, key)
    except OpskitError as error:
        _undo(desk, stands, begun, error)
        raise
    stands.state = "created"


def retire(desk: Desk, stands: Standing) -> None:
    """Delete the old keys, and prove that they are gone. Whatever is raised: ``stands`` says how far it came."""
    stands.name = stands.name or desk.console.app(stands.app_id, desk.ends).name
    wanted = stands.old_key_ids or list(desk.order.old_key_ids)
    keys = desk.keys(stands.app_id, desk.ends)
    old = [key for key in keys if key.id in wanted]
    if not old and stands.new_key is None:
        raise Refused("rotation_no_old_keys", keys=", ".join(key.id for key in keys) or "-")
    stands.old_key_ids = [key.id for key in old]
    _look_at_use(desk, old)
    _look_at_rest(desk, stands, [key for key in keys if key.id not in wanted])
    for key in old:
        _delete(desk, stands.app_id, key, desk.ends)
        stands.state = "failed"
        _prove_gone(desk, key)
        stands.old_key_ids.remove(key.id)
    stands.old_key_ids = [key.id for key in old]
    stands.state = "done"


def _old(desk: Desk, keys: Sequence[AppKey]) -> list[str]:
    """The keys that are to go. Refused: nobody has said which of several, or only such as the app does not have."""
    named = desk.order.old_key_ids
    wanted = [key.id for key in keys if not named or key.id in named]
    if desk.order.phase == "all" and len(wanted) > 1 and not named:
        raise Refused("rotation_which", keys=", ".join(f"{key.id} (…{key.last4})" for key in keys))
    if keys and not wanted:
        raise Refused("rotation_no_old_keys", keys=", ".join(key.id for key in keys))
    return wanted


def _addresses(desk: Desk, app_id: str) -> tuple[Address, ...]:
    return desk.order.addresses()[app_id]


def _made(desk: Desk, stands: Standing, before: Collection[str]) -> AppKey:
    """A new key. One that was made, and whose answer was lost, is found among all keys."""
    try:
        key = desk.console.create_key(stands.app_id, desk.ends)
    except Unavailable as error:
        stands.state = "failed"
        try:
            new = [key for key in desk.keys(stands.app_id, desk.back_ends()) if key.id not in before]
        except OpskitError:
            raise error from None
        if not new:
            stands.state = "untouched"
            raise Unavailable("rotation_not_made", problem=f"[{error.key}]") from None
        if len(new) > 1:
            raise error.also("rotation_several_new", keys=", ".join(key.id for key in new)) from None
        key = new[0]
    desk.secrets.append(key.token)
    return key


def _prove(desk: Desk, key: AppKey) -> None:
    """Let the key open its app, and the app be one that can be used. Whatever the Service API refuses."""

    def ask() -> None:
        with App(desk.service, key.token) as app:
            app.mode(desk.ends)
            app.form(desk.ends)

    desk.steadily(ask)


def _tell(desk: Desk, stands: Standing, key: AppKey) -> None:
    """Tell the webhook, where there is one. Whatever it answers with, unless that is 2xx."""
    order = desk.order
    if not order.webhook_url:
        return
    event = {
        "event": "app_key.created",
        "app_id": stands.app_id,
        "app_name": stands.name,
        "key_id": key.id,
        "key": key.token,
        "old_key_ids": stands.old_key_ids,
    }
    delivered = webhook.deliver(
        event,
        url=order.webhook_url,
        secret=plain(order.webhook_secret),
        private=False,
        ends=min(desk.ends, time.monotonic() + _DELIVERY_S),
        pause=desk.pause,
    )
    if delivered.error:
        raise delivered.error


def _undo(desk: Desk, stands: Standing, begun: list[Place], why: OpskitError) -> None:
    """Put back what has been handed over, and delete the new key: never while something may still hold it."""
    key = stands.new_key
    if key is None or gone_back(begun, why) == "failed":
        why.also("rotation_both_kept")
        return
    try:
        _delete(desk, stands.app_id, key, desk.back_ends())
    except OpskitError as error:
        why.also("rotation_new_left", key=key.id, problem=f"[{error.key}]")
        return
    stands.state, stands.new_key = "reverted", None
    if why.key == "webhook_no_answer":
        why.also("rotation_may_be_taken", key=key.id)


def _look_at_use(desk: Desk, old: Sequence[AppKey]) -> None:
    """Refused ``rotation_in_use``: somebody has used one within the grace time, or that is not known."""
    if desk.order.force_retire:
        return
    since = int(time.time() - desk.order.grace_s)
    used = [key for key in old if key.last_used_at is None or key.last_used_at >= since]
    if used:
        raise Refused("rotation_in_use", keys=", ".join(f"{key.id} (…{key.last4})" for key in used))


def _look_at_rest(desk: Desk, stands: Standing, rest: Sequence[AppKey]) -> None:
    """Refused ``rotation_last_key``: no key that works would be left; of a rotation, the new one counts alone."""
    if stands.new_key:
        rest = [key for key in rest if key.id == stands.new_key.id]
    for key in rest:
        try:
            _prove(desk, key)
        except OpskitError:
            continue
        return
    raise Refused("rotation_last_key")


def _delete(desk: Desk, app_id: str, key: AppKey, ends: float) -> None:
    """Delete a key. It bears a repetition: one that is gone is no failure."""
    desk.steadily(lambda: desk.console.delete_key(app_id, key.id, ends))


def _prove_gone(desk: Desk, key: AppKey) -> None:
    """Unavailable ``rotation_not_gone``: Dify does not say that the key is none, though it was deleted."""

    def ask() -> None:
        try:
            with App(desk.service, key.token) as app:
                app.mode(desk.ends)
        except InvalidCredentials:
            return
        except OpskitError as error:
            raise Unavailable("rotation_not_gone", key=key.id, problem=f"[{error.key}]") from None
        raise Unavailable("rotation_not_gone", key=key.id, problem="HTTP 200")

    desk.steadily(ask)
