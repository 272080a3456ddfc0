"""The plugin's storage in Dify, as the core knows it."""

from collections.abc import Callable
from typing import Any

from opskit.errors import Unavailable


class Storage:
    """Keeps values through Dify, by reverse invocations. Never inside ``off_loop``: no answer would arrive there."""

    def __init__(self, caller: Any) -> None:
        self._caller = caller

    def get(self, key: str) -> bytes | None:
        """The value, or None. Dify says of a missing key no more than of any other failure, so it is asked again."""
        try:
            value: bytes = self._caller.session.storage.get(key)
        except Exception as error:  # noqa: BLE001 - the SDK raises bare Exceptions, whatever has happened
            if _kept(self._caller.session.storage.exist, key):
                raise Unavailable("storage_unavailable", problem=error) from None
            return None
        return value

    def set(self, key: str, value: bytes) -> None:
        """Keep the value, in place of the one before."""
        _kept(self._caller.session.storage.set, key, value)

    def delete(self, key: str) -> None:
        """Drop the value, if there is one."""
        _kept(self._caller.session.storage.delete, key)


def _kept[T](ask: Callable[..., T], *arguments: object) -> T:
    try:
        return ask(*arguments)
    except Exception as error:  # noqa: BLE001 - likewise
        raise Unavailable("storage_unavailable", problem=error) from None
