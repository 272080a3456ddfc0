"""The main job: example workflow, Dify's engine, the real plugin process, and a robot that checks what it gets."""

import csv
import json
import secrets
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from graphon.model_runtime.entities.message_entities import PromptMessage

from devtools import engine
from devtools.plugin_process import PluginProcess
from devtools.robot import Robot

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "examples" / "workflows" / "daily_sales_report.yml"
WITH_COMMENT = ROOT / "examples" / "workflows" / "daily_sales_report_ai.yml"
CHAT = ROOT / "examples" / "workflows" / "sales_chat.yml"
SALES = ROOT / "examples" / "data" / "daily_sale_data.csv"
SECRET = "SECfake0123456789abcdef"
FAILED = "An error occurred in the opskit/opskit/opskit, please contact the author of opskit/opskit/opskit for help, "


@pytest.fixture
def robot() -> Iterator[Robot]:
    """A robot with a token of its own: the plugin keeps the 20 a minute for each token across all tests."""
    with Robot(token=secrets.token_hex(16), secret=SECRET, keywords=("日报",)) as running:
        yield running


def settings(robot: Robot, **others: str) -> dict[str, str]:
    return {"DINGTALK_TOKEN": robot.token, "DINGTALK_SECRET": SECRET, "DINGTALK_BASE_URL": robot.url} | others


def run(workflow: Path | str, plugin: PluginProcess, robot: Robot, **options: Any) -> engine.Run:
    defaults: dict[str, Any] = {"inputs": {"file": SALES}, "environment": settings(robot)}
    return engine.run(workflow, plugin, **defaults | options)


def cents(amount: Decimal) -> str:
    return f"{amount.quantize(Decimal('0.01'), ROUND_HALF_UP):,}"


def last_day() -> tuple[str, list[dict[str, str]]]:
    """The last day in the example file and its rows."""
    with SALES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    day = max(row["Date"] for row in rows)
    return day, [row for row in rows if row["Date"] == day]


def sums(rows: list[dict[str, str]], column: str) -> dict[str, Decimal]:
    """Sales by a column."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        found[row[column]] += Decimal(row["Price"]) * Decimal(row["Amount"])
    return found


def test_the_report_arrives_signed_with_the_figures_of_the_file(plugin: PluginProcess, robot: Robot) -> None:
    outcome = run(REPORT, plugin, robot)

    assert (outcome.status, outcome.error) == ("succeeded", "")
    day, rows = last_day()
    total = sums(rows, "Date")[day]
    [message] = robot.posted
    assert message["msgtype"] == "markdown"
    assert message["markdown"]["title"] == f"{day} 销售日报"
    text = message["markdown"]["text"]
    assert text.startswith(f"### {day} 销售日报\n")
    pieces = sum(int(row["Amount"]) for row in rows)
    average = cents(total / len(rows))
    assert f"销售额 **{cents(total)}** · {len(rows)} 单 · {pieces} 件 · 客单价 {average}" in text
    products = sorted(sums(rows, "Product").items(), key=lambda entry: -entry[1])
    for place, (product, sales) in enumerate(products[:5], 1):
        assert f"{place}. **{product}** {cents(sales)}" in text
    for region, sales in sums(rows, "Region").items():
        share = (sales * 100 / total).quantize(Decimal("0.01"), ROUND_HALF_UP)
        assert f"- **{region}** {cents(sales)}（{share}%）" in text

    assert robot.calls == 1
    assert set(robot.requests[0].query) == {"access_token", "timestamp", "sign"}
    files = outcome.outputs["files"]
    assert [file.filename for file in files] == [
        "trend.png", "products.png", "regions.png", "pareto.png", "report.html", "report.xlsx",
    ]  # fmt: skip
    assert outcome.files[files[0].reference].content.startswith(b"\x89PNG")
    assert {name: value for name, value in outcome.outputs.items() if name != "files"} == {
        "delivered": True,
        "analysis_date": day,
        "total_sales": float(total),
        "report": outcome.node_outputs["analysis"]["text"],
    }
    assert outcome.node_outputs["push"]["message_ids"] == [message["msgUuid"]]
    assert outcome.node_outputs["start"].keys() == {"file"}, "the start node must not hand out secrets"


def test_a_chat_answers_with_the_report_and_its_charts(plugin: PluginProcess) -> None:
    outcome = engine.run(CHAT, plugin, inputs={"file": SALES, "date": "2026-10-30"})
    assert (outcome.status, outcome.error) == ("succeeded", "")
    answer = outcome.outputs["answer"]
    assert answer.startswith("### 2026-10-30 销售日报\n")
    report, *blocks = answer.split("```echarts\n")
    assert len(blocks) == 4
    assert "```" not in report
    for block in blocks:
        option, _, rest = block.partition("\n```")
        assert json.loads(option)["title"]["text"]
        assert rest.strip() == ""


def test_a_run_that_is_repeated_does_not_post_twice(plugin: PluginProcess, robot: Robot) -> None:
    for run_id in ("run-1", "run-1", "run-2"):
        assert run(REPORT, plugin, robot, run_id=run_id).outputs["delivered"] is True
    assert len(robot.posted) == 2
    assert robot.duplicates == robot.posted[:1]


def test_the_comment_of_a_model_is_sent_with_the_report(plugin: PluginProcess, robot: Robot) -> None:
    asked: list[Sequence[PromptMessage]] = []

    def comment(messages: Sequence[PromptMessage]) -> str:
        asked.append(messages)
        return "今日表现良好，请关注华南。"

    outcome = run(WITH_COMMENT, plugin, robot, llm=comment)

    assert (outcome.status, outcome.error) == ("succeeded", "")
    report = outcome.node_outputs["analysis"]["text"]
    [[system, user]] = asked
    assert "编造" in system.get_text_content()
    assert report in user.get_text_content()
    [message] = robot.posted
    assert message["markdown"]["text"] == f"{report}\n\n#### 点评\n\n今日表现良好，请关注华南。"
    assert outcome.outputs["comment"] == "今日表现良好，请关注华南。"


def test_a_model_that_fails_does_not_stop_the_report(plugin: PluginProcess, robot: Robot) -> None:
    outcome = run(WITH_COMMENT, plugin, robot)
    assert outcome.status == "partial-succeeded"
    [posted] = robot.posted
    assert posted["markdown"]["text"].endswith("（暂无点评）")
    assert "销售额" in posted["markdown"]["text"]


def test_a_refusal_of_the_robot_fails_the_run(plugin: PluginProcess, robot: Robot) -> None:
    outcome = run(REPORT, plugin, robot, environment=settings(robot, DINGTALK_SECRET="SECwrong"))
    assert outcome.status == "failed"
    assert outcome.error.startswith(f"{FAILED}error type: InvalidCredentials, error details: [robot_signature] ")
    assert "310000 sign not match" in outcome.error
    assert "SECwrong" not in outcome.error
    assert outcome.node_outputs.keys() == {"start", "analysis"}
    assert (robot.calls, robot.posted, outcome.outputs) == (1, [], {})


def with_fail_branch() -> str:
    """The report's workflow with an own end for the case that the push fails.

    In Dify's own exports the failure edge leaves by ``fail-branch``, the other one still by ``source``.
    """
    document = yaml.safe_load(REPORT.read_text(encoding="utf-8"))
    graph = document["workflow"]["graph"]
    push = next(node for node in graph["nodes"] if node["id"] == "push")
    push["data"]["error_strategy"] = "fail-branch"
    outputs = [
        {"variable": name, "value_selector": ["push", name], "value_type": "string"}
        for name in ("error_message", "error_type")
    ]
    graph["nodes"].append({"id": "undelivered", "data": {"type": "end", "title": "未送达", "outputs": outputs}})
    graph["edges"].append({"source": "push", "sourceHandle": "fail-branch", "target": "undelivered"})
    return yaml.safe_dump(document, allow_unicode=True)


def test_the_failure_branch_is_taken_when_the_robot_refuses(plugin: PluginProcess, robot: Robot) -> None:
    wrong = settings(robot, DINGTALK_SECRET="SECwrong")
    outcome = run(with_fail_branch(), plugin, robot, environment=wrong)
    assert outcome.status == "partial-succeeded"
    assert outcome.outputs.keys() == {"error_message", "error_type"}
    assert outcome.outputs["error_message"].startswith(
        f"{FAILED}error type: InvalidCredentials, error details: [robot_signature] "
    )
    assert outcome.outputs["error_type"] == "ToolRuntimeInvocationError"
    assert outcome.node_outputs.keys() == {"start", "analysis", "push", "undelivered"}
    assert not robot.posted


def test_the_failure_branch_is_not_taken_when_the_message_arrives(plugin: PluginProcess, robot: Robot) -> None:
    outcome = run(with_fail_branch(), plugin, robot)
    assert outcome.status == "succeeded"
    assert outcome.outputs["delivered"] is True
    assert "undelivered" not in outcome.node_outputs


def test_a_file_that_is_no_sales_table_fails_the_run(plugin: PluginProcess, robot: Robot, tmp_path: Path) -> None:
    wrong = tmp_path / "people.csv"
    wrong.write_text("Name,Age\nLi,30\n", encoding="utf-8")
    outcome = run(REPORT, plugin, robot, inputs={"file": wrong})
    assert outcome.status == "failed"
    assert "error type: InvalidInput, error details: [missing_columns] " in outcome.error
    assert not robot.calls


def test_an_empty_secret_is_told_by_name(plugin: PluginProcess, robot: Robot) -> None:
    outcome = run(REPORT, plugin, robot, environment=settings(robot, DINGTALK_TOKEN=""))
    assert outcome.status == "failed"
    assert "access_token" in outcome.error
    assert not robot.calls


def test_constants_keep_their_types_on_the_way(plugin: PluginProcess, robot: Robot) -> None:
    document = yaml.safe_load(REPORT.read_text(encoding="utf-8"))
    push = next(node for node in document["workflow"]["graph"]["nodes"] if node["id"] == "push")
    push["data"]["tool_configurations"]["dry_run"] = {"type": "constant", "value": "yes"}
    push["data"]["tool_configurations"]["deadline_s"] = {"type": "constant", "value": "2.5"}
    outcome = run(yaml.safe_dump(document), plugin, robot)
    assert outcome.outputs["delivered"] is False
    assert not robot.calls


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        ({}, "file is required in input form"),
        ({"file": "sales.bin"}, "File validation failed for file: sales.bin"),
        ({"file": "sales.png"}, "File validation failed for file: sales.png"),
    ],
)
def test_what_difys_api_refuses_is_refused(
    plugin: PluginProcess, robot: Robot, tmp_path: Path, inputs: dict[str, str], problem: str
) -> None:
    for name in inputs.values():
        (tmp_path / name).write_bytes(b"\0")
    with pytest.raises(ValueError, match=problem):
        run(REPORT, plugin, robot, inputs={name: tmp_path / value for name, value in inputs.items()})


def test_a_csv_is_a_document_to_dify(plugin: PluginProcess, robot: Robot, tmp_path: Path) -> None:
    document = yaml.safe_load(REPORT.read_text(encoding="utf-8"))
    variable = document["workflow"]["graph"]["nodes"][0]["data"]["variables"][0]
    variable["allowed_file_types"] = ["custom"]
    upper = tmp_path / "SALES.CSV"
    upper.write_bytes(SALES.read_bytes())
    with pytest.raises(ValueError, match=r"File validation failed for file: SALES\.CSV"):
        run(yaml.safe_dump(document), plugin, robot, inputs={"file": upper})
    assert run(REPORT, plugin, robot, inputs={"file": upper}).outputs["delivered"] is True


def test_a_variable_that_the_workflow_lacks_is_refused(plugin: PluginProcess, robot: Robot) -> None:
    with pytest.raises(ValueError, match="the workflow has no environment variable DINGTALK_TOKN"):
        run(REPORT, plugin, robot, environment={"DINGTALK_TOKN": "x"})


def test_a_required_parameter_that_is_not_set_is_refused(plugin: PluginProcess, robot: Robot) -> None:
    document = yaml.safe_load(REPORT.read_text(encoding="utf-8"))
    push = next(node for node in document["workflow"]["graph"]["nodes"] if node["id"] == "push")
    del push["data"]["tool_configurations"]["access_token"]
    with pytest.raises(ValueError, match="钉钉推送: the parameter access_token is required"):
        run(yaml.safe_dump(document, allow_unicode=True), plugin, robot)
