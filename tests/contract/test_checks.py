"""The checks in the plugin process, where every thread is a greenlet of one loop."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from devtools.dify_server import App, DifyServer
from devtools.plugin_process import PluginProcess

TOKEN = "fake-token-0123456789abcdef"


@pytest.fixture
def silent() -> Iterator[str]:
    """An address where connections are taken, and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_what_hangs_keeps_neither_the_call_nor_the_plugin(plugin: PluginProcess, silent: str) -> None:
    given = {
        "app_keys": "\n".join(f"app{number}=app-fake-key-{number}" for number in range(10)),
        "base_url": silent,
        "robots": f"ops={silent}/robot/send?access_token={TOKEN}",
        "webhooks": f"crm={silent}/hook",
        "webhook_secret": "fake-hook-secret",
        "urls": "\n".join(f"shop{number}={silent}" for number in range(10)),
        "allow_private": True,
        "timeout_s": 2,
    }
    ended: list[str] = []

    def check() -> None:
        found.update(plugin.invoke("credential_check", given).variables)
        ended.append("check")

    found: dict[str, object] = {}
    began = time.monotonic()
    slow = threading.Thread(target=check)
    slow.start()
    plugin.invoke("json_repair", {"text": "{}"})
    ended.append("repair")
    slow.join()
    assert time.monotonic() - began < 6
    assert ended == ["repair", "check"]
    assert (found["healthy"], found["failed"]) == (0, 21)


def test_a_deep_check_runs_apps_at_once(plugin: PluginProcess) -> None:
    with DifyServer() as dify:
        apps = [dify.add(App(f"app{number}", seconds=0.5)) for number in range(5)]
        keys = "\n".join(f"{app.name}={app.key}" for app in apps)
        outcome = plugin.invoke("credential_check", {"app_keys": keys, "base_url": dify.url, "deep": True})
        assert dify.most_at_once == 5
    assert {check["code"] for check in outcome.variables["checks"]} == {"app_ran"}
