"""A new value for a secret of a workflow app: put, proved by a run, and put back where that fails."""

from opskit.dify.access import plain
from opskit.dify.console import mistakes
from opskit.dify.probe import probe
from opskit.errors import OpskitError
from opskit.rotation.desk import Desk, Standing
from opskit.rotation.order import State
from opskit.rotation.place import Place


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
    key = order.probes().get(stands.app_id, "")
    place.before.own_key(key, desk.ends)
    stands.state = "failed"
    try:
        with mistakes():
            place.put(value)
            place.finish(value)  # before the run: until then somebody's unfinished work is held in memory alone
            if key:
                probe(desk.service, key, app.mode, order.probe_inputs, desk.ends)
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
            if error.key == "app_draft_left":
                why.also(error.key, app=place.app_id)
            else:
                why.also("rotation_not_back", app=place.app_id, variable=place.variable, problem=f"[{error.key}]")
            state = "failed"
    return state
