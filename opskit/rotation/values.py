"""A new value for a secret of a workflow app: put, proved by a run, and put back where that fails."""

from opskit.dify.access import plain
from opskit.dify.service import App
from opskit.errors import InvalidInput, OpskitError, Refused
from opskit.rotation.desk import Desk, Standing, mistakes
from opskit.rotation.order import State
from opskit.rotation.place import Place

_CHATFLOW = "advanced-chat"
_QUESTION = "ping"


def renew(desk: Desk, stands: Standing) -> None:
    """Renew the secret of one app. Whatever is raised: ``stands`` says how far it came."""
    order = desk.order
    app = desk.console.app(stands.app_id, desk.ends)
    stands.name = app.name
    value = plain(order.new_value)
    place = Place.found(desk, stands.app_id, order.variable, order.dirty_draft)
    if place.holds(value):
        stands.state = "done"
        return
    key = _probe_key(desk, stands.app_id)
    stands.state = "failed"
    try:
        with mistakes():
            place.put(value)
            place.finish(value)  # before the run: until then somebody's unfinished work is held in memory alone
            if key:
                _probe(desk, key, app.mode)
    except OpskitError as error:
        stands.state = gone_back([place], error)
        raise
    stands.state = "done"


def gone_back(places: list[Place], why: OpskitError) -> State:
    """Go back in all places, the last one first, and give the state that this leads to; ``why`` learns of failures."""
    state: State = "untouched"
    for place in reversed(places):
        try:
            with mistakes():
                changed = place.back()
            if changed and state == "untouched":
                state = "reverted"
        except OpskitError as error:
            why.also("rotation_not_back", app=place.app_id, variable=place.variable, problem=f"[{error.key}]")
            state = "failed"
    return state


def _probe_key(desk: Desk, app_id: str) -> str:
    """The key that the app is probed with; nothing for none.

    InvalidInput ``rotation_probe_key``: the app has no such key. The run would prove nothing, or another app.
    """
    key = desk.order.probes().get(app_id, "")
    if key and key not in [one.token for one in desk.keys(app_id, desk.ends)]:
        raise InvalidInput("rotation_probe_key", app=app_id)
    return key


def _probe(desk: Desk, key: str, mode: str) -> None:
    """Run the app once. Whatever the run raises; Refused ``rotation_probe``: it did not succeed."""
    inputs = dict(desk.order.probe_inputs)
    request: dict[str, object] = {"inputs": inputs, "user": "opskit"}
    if mode == _CHATFLOW:
        request["query"] = str(inputs.pop("query", _QUESTION))
    with App(desk.service, key) as app:
        run = app.run(mode, request, desk.ends)
    if run.error:
        raise run.error
    if not run.succeeded:
        raise Refused("rotation_probe", status=run.status)
