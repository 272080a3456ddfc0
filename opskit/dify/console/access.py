"""What a user fills in to reach the console: an admin key and a workspace, or an e-mail address and a password."""

import base64
from typing import ClassVar

from pydantic import SecretStr

from opskit.dify.access import Reached, is_uuid, plain
from opskit.dify.console.entry import AdminKey, Entry, Login
from opskit.dify.service import Server
from opskit.errors import InvalidCredentials, InvalidInput
from opskit.model import Key, Line

# Dify's own cloud has its console at another host than its Service API.
_CLOUD = ("//api.dify.ai", "//cloud.dify.ai")


class ConsoleAccess(Reached):
    """How the console is reached."""

    own_headers: ClassVar[frozenset[str]] = Reached.own_headers | {"cookie", "x-csrf-token", "x-workspace-id"}

    admin_key: Key | None = None
    workspace_id: Line = ""
    email: Line = ""
    password: SecretStr | None = None  # as it is: a password may begin or end with a blank

    @classmethod
    def secrets_of(cls, name: str, value: str) -> list[str]:
        """The password as it goes over the wire, too."""
        if name == "password":
            return [value, base64.b64encode(value.encode()).decode()]
        return super().secrets_of(name, value)

    def entry(self) -> Entry:
        """What opens the console.

        InvalidCredentials: nothing that does, or the half of it. InvalidInput: both, or a workspace id that is none.
        """
        key, password = plain(self.admin_key), plain(self.password)
        if (key or self.workspace_id) and (self.email or password):
            raise InvalidInput("console_two_ways")
        if key or self.workspace_id:
            return self._by_key(key)
        if not self.email and not password:
            raise InvalidCredentials("console_no_way")
        if not self.email:
            raise InvalidInput("missing_parameter", name="email")
        if not password:
            raise InvalidCredentials("missing_secret", name="password")
        return Login(self.email, password)

    def _by_key(self, key: str) -> AdminKey:
        if not key:
            raise InvalidCredentials("missing_secret", name="admin_key")
        if not (key.isascii() and key.isprintable() and " " not in key):
            raise InvalidCredentials("malformed_secret", name="admin_key")
        if not self.workspace_id:
            raise InvalidInput("missing_parameter", name="workspace_id")
        if not is_uuid(self.workspace_id):  # all ids are of one kind; for another one Dify answers 500
            raise InvalidInput("console_workspace_id", value=self.workspace_id)
        return AdminKey(key, self.workspace_id)

    def server(self, *, by_model: bool = False) -> Server:
        """The server, whose ``address`` ends in /console/api. InvalidInput: ``base_url`` is no address.

        ``by_model`` says that a model may have chosen the address: credentials then only go to Dify itself, to hosts
        that the operator trusts, and to private addresses.
        """
        base = self.base_url.rstrip("/").removesuffix("/console/api").replace(*_CLOUD, 1)
        return Server.at(base, self.headers(), by_model=by_model, api="/console/api")

    def service(self, *, by_model: bool = False) -> Server:
        """The Service API of the same Dify. As ``server``."""
        base = self.base_url.rstrip("/").removesuffix("/console/api").replace(_CLOUD[1], _CLOUD[0], 1)
        return Server.at(base, self.headers(), by_model=by_model)
