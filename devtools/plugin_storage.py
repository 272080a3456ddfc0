"""Dify's storage for plugins, as a plugin process meets it: by reverse invocation, in memory."""

from typing import Any


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
