"""The JSON tools over the protocol: what they stream, the files they give, and the model that is asked."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devtools.plugin_process import PluginFailure, PluginProcess

ROOT = Path(__file__).resolve().parents[2]
MODEL = {
    "provider": "maker/plugin/maker",
    "model": "m",
    "model_type": "llm",
    "mode": "chat",
    "completion_params": {"t": 0},
}
SCHEMA = (
    '{"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}, "required": ["age"]}'
)


def chunk(text: str, tokens: int) -> dict[str, Any]:
    """A piece of an answer, as Dify streams it."""
    nothing = dict.fromkeys(("prompt_unit_price", "completion_unit_price", "prompt_price", "completion_price"), "0")
    units = {"prompt_price_unit": "0.001", "completion_price_unit": "0.001"}
    counts = {"prompt_tokens": tokens, "completion_tokens": 2, "total_tokens": tokens + 2}
    usage = {**nothing, **units, **counts, "total_price": "0.0021", "currency": "USD", "latency": 0.2}
    message = {"role": "assistant", "content": text, "tool_calls": []}
    return {"model": "m", "prompt_messages": [], "delta": {"index": 0, "message": message, "usage": usage}}


def test_a_model_is_asked_through_dify_and_its_answer_checked() -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def answer(kind: str, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        asked.append((kind, request))
        yield chunk("```json\n{'name': 'Ada', ", 40)
        yield chunk("'age': '36'}", 0)

    with PluginProcess(ROOT, answer=answer) as plugin:
        outcome = plugin.invoke("json_regenerate", {"text": "Ada, 36", "schema": SCHEMA, "model": MODEL})
        assert plugin.errors == b""
    found = outcome.variables
    assert (found["valid"], found["result"], found["attempts"]) == (True, {"name": "Ada", "age": 36}, 1)
    assert found["usage"] == {
        "prompt_tokens": 40,
        "completion_tokens": 4,
        "total_tokens": 44,
        "total_price": "0.0021",
        "currency": "USD",
    }
    [(kind, request)] = asked
    assert (kind, request["provider"], request["model"], request["stream"]) == ("llm", MODEL["provider"], "m", False)
    assert request["completion_params"] == {"t": 0}
    assert [message["role"] for message in request["prompt_messages"]] == ["system", "user"]
    assert SCHEMA in request["prompt_messages"][1]["content"]


def test_a_model_that_refuses_fails_the_node_or_falls_back() -> None:
    def answer(*_: object) -> object:
        raise RuntimeError("quota exceeded")

    with PluginProcess(ROOT, answer=answer) as plugin:
        asked = {"text": "Ada, 36", "model": MODEL}
        with pytest.raises(PluginFailure, match="quota exceeded") as failure:
            plugin.invoke("json_regenerate", asked)
        assert (failure.value.kind, failure.value.message[:19]) == ("Unavailable", "[model_unavailable]")
        outcome = plugin.invoke("json_regenerate", asked | {"on_invalid": "fallback", "fallback": "[]"})
    assert (outcome.variables["status"], outcome.variables["result"]) == ("fallback", {"value": []})


def test_a_large_result_arrives_as_a_file(plugin: PluginProcess) -> None:
    text = "[" + ",\n".join(f"{{n: {number}}}" for number in range(400_000)) + ",]"
    outcome = plugin.invoke("json_repair", {"text": text})
    assert outcome.variables["oversize"]
    assert (outcome.variables["json_text"], outcome.variables["result"]) == ("", {})
    assert list(outcome.files) == ["result.json", "changes.json"]
    assert json.loads(outcome.files["result.json"])[-1] == {"n": 399_999}
    assert len(json.loads(outcome.files["changes.json"])) == 400_001
    assert plugin.errors == b""


def test_a_big_text_does_not_silence_the_plugin(plugin: PluginProcess) -> None:
    events: list[str] = []

    def read(messages: Iterator[dict[str, Any]]) -> None:
        next(messages)
        events.append("the big one begins to answer")
        list(messages)

    text = '{"a": "' + 'so "much" to say ' * 200_000 + '"}'
    big = plugin.stream("json_repair", {"text": text})  # the plugin reads calls in the order in which they are sent
    reader = threading.Thread(target=read, args=(big,))
    reader.start()
    plugin.invoke("json_repair", {"text": "{a: 1}"})
    events.append("the small one is answered")
    reader.join()
    assert events == ["the small one is answered", "the big one begins to answer"]


def test_an_agent_gets_the_json_and_the_account_within_bounds(plugin: PluginProcess) -> None:
    outcome = plugin.invoke("json_repair", {"text": "[" + "{a: 'x'}," * 500 + "]"}, agent=True)
    [figures] = outcome.json
    assert len(json.dumps(figures, ensure_ascii=False).encode()) <= 8 * 1024
    assert figures["status"] == "repaired"
    assert "shortened" in figures
