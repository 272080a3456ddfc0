"""From the name that a user wrote to the app that is meant."""

from functools import partial

from opskit.dify.access import Access, is_uuid
from opskit.dify.service import App, Server
from opskit.dify.targets import IdTarget, KeyTarget, Target
from opskit.errors import InvalidInput
from opskit.ports import Workspace

INVOKED_S = 220.0  # the longest deadline of what goes through a reverse invocation: Dify cuts that after 240 s


class Finder:
    """Finds targets: a name goes to its key, an id to the app of this workspace.

    InvalidInput, InvalidCredentials: keys, headers or address cannot be used.
    """

    def __init__(self, access: Access, workspace: Workspace) -> None:
        self.keys = access.keys()
        headers = access.headers()
        self.secrets = [*self.keys.values(), *headers.values()]
        self._workspace = workspace
        self._server = Server.at(access.base_url, headers, by_model=workspace.by_model)

    def __call__(self, name: str, parameter: str) -> Target:
        """The target called ``name`` in ``parameter``. InvalidInput: neither name nor id, or the calling app itself."""
        if key := self.keys.get(name):
            address = self._server.address
            identity = f"{address.text} {key}"
            return KeyTarget(name, partial(App, self._server, key), group=address.origin, identity=identity)
        if not is_uuid(name):
            raise InvalidInput("unknown_target", parameter=parameter, name=name, found=", ".join(self.keys) or "-")
        if name.lower() == self._workspace.app_id.lower():
            raise InvalidInput("calls_itself", name=name)
        return IdTarget(name.lower(), self._workspace)
