"""Dify's storage for plugins, as a plugin process meets it: by reverse invocation, in memory."""

from typing import Any

from opskit.errors import Unavailable


class PluginStorage:
    """Keeps values in ``kept`` (hexadecimal, by key); every other reverse invocation is refused."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def __call__(self, kind: str, request: dict[str, Any]) -> object:
        """Answer as Dify's daemon does: a key that is missing is an error."""
        if kind != "storage":
            raise RuntimeError(f"nobody answers the reverse invocation {kind} of {sorted(request)}")
        key = request["key"]
        match request["opt"]:
            case "set":
                self.kept[key] = request["value"]
                return {"data": "ok"}
            case "get" if key in self.kept:
                return {"data": self.kept[key]}
            case "exist":
                return {"data": key in self.kept, "exist_num": int(key in self.kept)}
            case "del" if key in self.kept:
                del self.kept[key]
                return {"data": "ok", "deleted_num": 1}
        raise RuntimeError("load data failed, please check if the key is correct")


class Memory:
    """The storage as the core sees it (``opskit.ports.Storage``), in memory; ``down`` lets writing fail."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.down = False

    def get(self, key: str) -> bytes | None:
        """The value of a key."""
        return self.values.get(key)

    def set(self, key: str, value: bytes) -> None:
        """Keep a value. Unavailable ``storage_unavailable``."""
        if self.down:
            raise Unavailable("storage_unavailable", problem="down")
        self.values[key] = value

    def delete(self, key: str) -> None:
        """Delete what may not be there."""
        self.values.pop(key, None)
