"""The guard behind a model: broken answers become orders, and what is no order goes to a person."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from graphon.model_runtime.entities.message_entities import PromptMessage

from devtools import engine
from devtools.plugin_process import PluginProcess

GUARD = Path(__file__).resolve().parents[2] / "examples" / "workflows" / "structured_output_guard.yml"
ORDER = {
    "customer": "华东公司",
    "items": [{"product": "灯", "quantity": 3}],
    "deliver_on": "2026-03-01",
    "urgent": False,
}


def run(plugin: PluginProcess, answer: str) -> engine.Run:
    asked: list[str] = []

    def model(messages: Sequence[PromptMessage]) -> str:
        asked.extend(str(message.content) for message in messages)
        return answer

    found = engine.run(GUARD, plugin, inputs={"message": "我们要三盏灯，三月一号送到。"}, llm=model)
    assert "我们要三盏灯" in asked[-1]
    return found


@pytest.mark.parametrize(
    "answer",
    [
        '{"customer": "华东公司", "items": [{"product": "灯", "quantity": 3}], "deliver_on": "2026-03-01"}',
        (
            "<think>{}</think>好的：\n```json\n{customer: '华东公司', items: [{product: '灯', quantity: '3',}],\n"
            "deliver_on: '2026年3月1日', // 三月\nurgent: False}\n```"
        ),
        "{“customer”：“华东公司”，“Items”：｛“product”：“灯”，“quantity”：“三”｝，“deliver_on”：“2026/3/1”，“urgent”：“否”，“备注”：“无”｝",
        '{"customer": "华东公司", "items": "[{\\"product\\": \\"灯\\", \\"quantity\\": 3}]", "deliver_on": "2026-3-1"',
    ],
)
def test_an_answer_becomes_the_order(answer: str, plugin: PluginProcess) -> None:
    found = run(plugin, answer)
    assert (found.status, found.error) == ("succeeded", "")
    assert found.outputs["order"] == ORDER
    assert found.outputs.keys() == {"order", "confidence", "changes"}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("抱歉，我无法提取。", "no_json"),
        ('{"customer": "华东公司", "items": []}', "minItems"),
        ('{"items": [{"product": "灯", "quantity": 3}]}', "required"),
    ],
)
def test_what_is_no_order_goes_to_a_person(answer: str, code: str, plugin: PluginProcess) -> None:
    found = run(plugin, answer)
    assert found.status == "succeeded"
    assert found.outputs["problems"][0]["code"] == code
    assert found.outputs["answer"] == answer
    assert found.outputs["report"].startswith("文本不是符合要求的 JSON")
