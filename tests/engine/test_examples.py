"""The example workflows have the shape of Dify's own exports and hang together; so does the example file."""

import copy
import csv
import io
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from graphon.dsl import inspect
from graphon.variables.template_resolution import VARIABLE_PATTERN

from devtools import catalog, engine, sample_data
from devtools.engine.tools import declared_parameters

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = yaml.safe_load((ROOT / "manifest.yaml").read_text(encoding="utf-8"))
EXAMPLES = sorted((ROOT / "examples" / "workflows").glob("*.yml"))
REPORT = ROOT / "examples" / "workflows" / "daily_sales_report.yml"
GAP = 40
SYSTEM = {"workflow_run_id", "workflow_id", "app_id", "user_id", "files", "timestamp"}
LLM_OUTPUTS: dict[str, Any] = {"text": {}, "reasoning_content": {}, "usage": {}}
NODE_KEYS = {
    "data",
    "height",
    "id",
    "position",
    "positionAbsolute",
    "sourcePosition",
    "targetPosition",
    "type",
    "width",
}
TOOL_KEYS = {
    "provider_id",
    "provider_name",
    "provider_type",
    "plugin_id",
    "tool_name",
    "tool_label",
    "tool_node_version",
}
# The parameters of each tool that must never be shown.
SECRETS = {tool.name: tool.takes.secret_names() for tool in catalog.tools()}
# How Dify's editor binds a parameter of each type.
BINDINGS = {"string": {"mixed"}, "file": {"variable"}, "files": {"variable"}}

# What begins a workflow, and what a node tells that has failed.
STARTS = {"start", "trigger-schedule"}
FAILED = ("error_message", "error_type")
# The kind of node that a workflow and a chatflow end with.
LAST = {"workflow": "end", "advanced-chat": "answer"}

type Document = dict[str, Any]
type Rule = Callable[[Document], Iterator[str]]


def load(path: Path) -> Document:
    document: Document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def nodes(document: Document) -> dict[str, Document]:
    return {node["id"]: node for node in document["workflow"]["graph"]["nodes"]}


def edges(document: Document) -> list[Document]:
    found: list[Document] = document["workflow"]["graph"]["edges"]
    return found


def environment(document: Document) -> dict[str, Document]:
    return {variable["name"]: variable for variable in document["workflow"]["environment_variables"]}


def tool_nodes(document: Document) -> list[Document]:
    return [node["data"] for node in nodes(document).values() if node["data"]["type"] == "tool"]


def branches(data: Document) -> bool:
    """Whether a node that fails leads somewhere else."""
    return bool(data.get("error_strategy") == "fail-branch")


@cache
def declaration(tool: str) -> Document:
    found: Document = yaml.safe_load((ROOT / "tools" / f"{tool}.yaml").read_text(encoding="utf-8"))
    return found


def envelope(document: Document) -> Iterator[str]:
    """What Dify's import looks at first. It asks before it takes an unquoted or newer version."""
    if document.get("version") != "0.4.0" or document.get("kind") != "app":
        yield "version and kind are not '0.4.0' and app"
    if document["app"].get("mode") not in LAST or not all(
        document["app"].get(key) for key in ("name", "description", "icon", "icon_background")
    ):
        yield "the app is no workflow or chatflow with a name, description and icon"
    if document["app"].get("use_icon_as_answer_icon") is not False or document.get("dependencies") != []:
        yield "use_icon_as_answer_icon or dependencies are not as exported"
    if (
        document["workflow"].get("conversation_variables") != []
        or "file_upload" not in document["workflow"]["features"]
    ):
        yield "conversation variables or features are not as exported"


def boxes(document: Document) -> Iterator[str]:
    """Nodes as the canvas writes them."""
    listed = document["workflow"]["graph"]["nodes"]
    for name, count in Counter(node["id"] for node in listed).items():
        if count > 1:
            yield f"{name}: the id is not unique"
        if not re.fullmatch(r"[a-zA-Z0-9_]{1,50}", name) or name in {"sys", "env", "conversation"}:
            yield f"{name}: not an id that references can name"
    for node in listed:
        if missing := NODE_KEYS - node.keys():
            yield f"{node['id']}: lacks {sorted(missing)}"
        if node.get("type") != "custom" or not node["data"].get("title") or "desc" not in node["data"]:
            yield f"{node['id']}: not a custom node with title and desc"
        if (node.get("sourcePosition"), node.get("targetPosition")) != ("right", "left"):
            yield f"{node['id']}: is not entered from the left and left to the right"


def lines(document: Document) -> Iterator[str]:
    """Edges as the canvas writes them."""
    known = nodes(document)
    for edge in edges(document):
        if not {edge["source"], edge["target"]} <= known.keys():
            yield f"{edge['id']}: an end does not exist"
            continue
        kinds = {"sourceType": edge["source"], "targetType": edge["target"]}
        if any(edge["data"].get(key) != known[end]["data"]["type"] for key, end in kinds.items()):
            yield f"{edge['id']}: the types of its ends are wrong"
        handle = edge.get("sourceHandle")
        source = known[edge["source"]]["data"]
        ways = {"true", "false"} if source["type"] == "if-else" else {"source"}
        ways |= {"fail-branch"} if branches(source) else set()
        as_exported = handle in ways and (edge.get("targetHandle"), edge.get("type")) == ("target", "custom")
        if not as_exported or edge["data"].get("isInIteration") is not False:
            yield f"{edge['id']}: not an edge as exported"
        if edge["id"] != f"{edge['source']}-{handle}-{edge['target']}-target":
            yield f"{edge['id']}: the id does not tell its ends"


def flow(document: Document) -> Iterator[str]:
    """From one start, every node is reached and leads to an end."""
    kinds = Counter(node["data"]["type"] for node in nodes(document).values())
    last = LAST[document["app"]["mode"]]
    if sum(kinds[start] for start in STARTS) != 1 or not kinds[last]:
        yield "there is not one start, or no end"
    for name, node in nodes(document).items():
        upstream = ancestors(document, name)
        if node["data"]["type"] not in STARTS and not any(
            nodes(document)[one]["data"]["type"] in STARTS for one in upstream
        ):
            yield f"{name}: is not reached from the start"
        if node["data"]["type"] != last and name not in {edge["source"] for edge in edges(document)}:
            yield f"{name}: leads nowhere"
        if name in upstream:
            yield f"{name}: lies on a circle"


def ancestors(document: Document, name: str) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        target = waiting.pop()
        sources = {edge["source"] for edge in edges(document) if edge["target"] == target} - found
        found |= sources
        waiting += sources
    return found


def layout(document: Document) -> Iterator[str]:
    """Read from left to right, nothing on top of anything."""
    for edge in edges(document):
        source, target = (nodes(document).get(edge[end]) for end in ("source", "target"))
        if source and target and target["position"]["x"] < source["position"]["x"] + source["width"] + GAP:
            yield f"{edge['id']}: does not lead to the right"
    listed = list(nodes(document).values())
    for place, one in enumerate(listed):
        if one["position"] != one["positionAbsolute"]:
            yield f"{one['id']}: stands in two places"
        for other in listed[:place]:
            apart_x = abs(one["position"]["x"] - other["position"]["x"]) >= max(one["width"], other["width"])
            apart_y = abs(one["position"]["y"] - other["position"]["y"]) >= max(one["height"], other["height"])
            if not apart_x and not apart_y:
                yield f"{one['id']}: lies on {other['id']}"


def references(document: Document) -> Iterator[str]:
    """Every variable that a node names exists, upstream of it."""
    for name, node in nodes(document).items():
        upstream = ancestors(document, name)
        for selector in selectors(node["data"]):
            if selector[0] not in upstream | {"sys", "env"}:
                yield f"{name}: {selector[0]} is not upstream"
            elif not exists(document, selector):
                yield f"{name}: {'.'.join(selector)} does not exist"
        for text in texts({key: value for key, value in node["data"].items() if key != "template"}):
            if "{{" in VARIABLE_PATTERN.sub("", text):
                yield f"{name}: holds a reference that Dify does not read"


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(inner)


def selectors(data: Document) -> Iterator[list[str]]:
    """What a node's data refers to: in templates, as bound variables, and as outputs."""
    for text in texts(data):
        yield from (match[1].split(".") for match in VARIABLE_PATTERN.finditer(text))
    for setting in (data.get("tool_parameters", {}) | data.get("tool_configurations", {})).values():
        if setting["type"] == "variable":
            yield setting["value"]
    yield from (output["value_selector"] for output in data.get("outputs", []))
    if data["type"] == "template-transform":
        yield from (variable["value_selector"] for variable in data["variables"])
    yield from (one["variable_selector"] for case in data.get("cases", []) for one in case["conditions"])


def exists(document: Document, selector: list[str]) -> bool:
    first, name, *path = selector
    if first in {"sys", "env"}:
        return not path and name in (SYSTEM if first == "sys" else environment(document).keys())
    data = nodes(document)[first]["data"]
    match data["type"]:
        case "start":
            known: Document = {variable["variable"]: {} for variable in data["variables"]}
        case "tool":
            known = declaration(data["tool_name"])["output_schema"].get("properties", {})
            known = known | {"text": {}, "files": {}, "json": {}}
            known = known | ({name: {} for name in FAILED} if branches(data) else {})
        case "llm":
            known = LLM_OUTPUTS
        case "template-transform":
            known = {"output": {}}
        case _:
            known = {}
    for step in [name, *path]:
        if step not in known:
            return False
        known = known[step].get("properties", {})
    return True


def parameters(document: Document) -> Iterator[str]:
    """What a tool node sets exists, under the form in which the editor keeps it; what is required is set."""
    for data in tool_nodes(document):
        declared = declared_parameters(data["tool_name"])
        for kind, settings in (("llm", data["tool_parameters"]), ("form", data["tool_configurations"])):
            for name, setting in settings.items():
                if declared.get(name, {}).get("form") != kind:
                    yield f"{data['tool_name']}: {name} is no {kind} parameter"
                else:
                    yield from (f"{data['tool_name']}: {name} {what}" for what in faults(declared[name], setting))
        for name, parameter in declared.items():
            settings = data["tool_parameters"] if parameter["form"] == "llm" else data["tool_configurations"]
            if parameter.get("required") and not settings.get(name, {}).get("value"):
                yield f"{data['tool_name']}: {name} is required"


def faults(parameter: Document, setting: Document) -> Iterator[str]:
    kind, value = parameter["type"], setting["value"]
    if setting["type"] not in BINDINGS.get(kind, {"constant", "variable"}):
        yield f"is bound as {setting['type']}"
    if setting["type"] != "constant":
        return
    if kind == "select" and value not in [option["value"] for option in parameter["options"]]:
        yield f"has no option {value}"
    if kind == "boolean" and not isinstance(value, bool):
        yield "is not a boolean"
    if kind == "number" and (isinstance(value, bool) or not parameter["min"] <= value <= parameter["max"]):
        yield "is out of range"


def tools(document: Document) -> Iterator[str]:
    """Tool nodes as the editor writes them, with the words of the tool's YAML."""
    for data in tool_nodes(document):
        if missing := TOOL_KEYS - data.keys():
            yield f"{data['title']}: lacks {sorted(missing)}"
            continue
        provider = (data["provider_id"], data["provider_name"], data["provider_type"], data["plugin_id"])
        plugin = f"{MANIFEST['author']}/{MANIFEST['name']}"
        if provider != (f"{plugin}/opskit", f"{plugin}/opskit", "builtin", plugin):
            yield f"{data['title']}: not our provider"
        if data["tool_node_version"] != "2":
            yield f"{data['title']}: an old form of tool node"
        words = declaration(data["tool_name"])
        if data["tool_label"] != words["identity"]["label"]["zh_Hans"]:
            yield f"{data['title']}: the label is stale"
        if data["tool_description"] != words["description"]["human"]["zh_Hans"]:
            yield f"{data['title']}: the description is stale"


def variables(document: Document) -> Iterator[str]:
    """Environment variables as exported, described, used, and empty where they are secret."""
    used = {
        selector[1] for one in nodes(document).values() for selector in selectors(one["data"]) if selector[0] == "env"
    }
    for name, variable in environment(document).items():
        if not {"id", "name", "value", "value_type", "description", "selector"} <= variable.keys():
            yield f"{name}: not a variable as exported"
        if variable["value_type"] == "secret" and variable["value"] != "":
            yield f"{name}: a secret is in the file"
        if not variable["description"] or variable["selector"] != ["env", name]:
            yield f"{name}: is not described, or selected by another name"
        if name not in used:
            yield f"{name}: is never used"


def secrets(document: Document) -> Iterator[str]:
    """Secret parameters are bound to secret environment variables, and those go nowhere else."""
    kept = {name for name, variable in environment(document).items() if variable["value_type"] == "secret"}
    for one in nodes(document).values():
        data = one["data"]
        settings = data.get("tool_parameters", {}) | data.get("tool_configurations", {})
        named = SECRETS[data["tool_name"]] if data["type"] == "tool" else frozenset()
        bound = {name: settings[name]["value"] for name in settings if name in named}
        right = {f"{{{{#env.{name}#}}}}" for name in kept}
        yield from (f"{one['id']}: {name} is not bound to a secret" for name in bound if bound[name] not in right)
        references = [selector[1] for selector in selectors(data) if selector[0] == "env" and selector[1] in kept]
        if len(references) > len(bound):
            yield f"{one['id']}: a secret goes somewhere else"


def files(document: Document) -> Iterator[str]:
    """A start variable for CSV files can be fed by the web app and by the API, where .csv is a document."""
    for node in nodes(document).values():
        for variable in node["data"].get("variables", []) if node["data"]["type"] == "start" else []:
            if variable["type"] in {"file", "file-list"} and (
                variable["allowed_file_types"] != ["document", "custom"]
                or not variable["allowed_file_extensions"]
                or variable["allowed_file_upload_methods"] != ["local_file", "remote_url"]
            ):
                yield f"{variable['variable']}: some way of giving a file is closed"


RULES: list[Rule] = [envelope, boxes, lines, flow, layout, references, parameters, tools, variables, secrets, files]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_keeps_the_rule(path: Path, rule: Rule) -> None:
    assert list(rule(load(path))) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_loaded_by_the_engine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert inspect(engine.begun_by_hand(text)).loadable
    assert re.search(r"^version: '0\.4\.0'$", text, re.MULTILINE), "an unquoted version is a number to some readers"
    assert text.endswith("\n")
    assert "\r" not in text


def test_the_issue_asks_for_these_examples() -> None:
    asked = {"daily_sales_report", "daily_sales_report_ai", "sales_chat", "structured_output_guard"}
    asked |= {"multi_expert_review", "long_run_with_webhook", "nightly_backup", "rotate_and_tell"}
    assert asked <= {path.stem for path in EXAMPLES}


def test_the_nightly_backup_begins_by_itself() -> None:
    schedule = nodes(load(ROOT / "examples" / "workflows" / "nightly_backup.yml"))["schedule"]["data"]
    assert (schedule["type"], schedule["frequency"], schedule["mode"]) == ("trigger-schedule", "daily", "visual")
    assert (schedule["visual_config"]["time"], schedule["timezone"]) == ("2:00 AM", "Asia/Shanghai")


def node(document: Document, name: str) -> Document:
    return nodes(document)[name]


def setting(document: Document, name: str) -> Document:
    data = node(document, "push")["data"]
    found: Document = (data["tool_parameters"] | data["tool_configurations"])[name]
    return found


BREAKAGES: list[tuple[Rule, Callable[[Document], object]]] = [
    (envelope, lambda broken: broken.update(version=0.4)),
    (envelope, lambda broken: broken.update(version="0.6.0")),
    (envelope, lambda broken: broken["app"].update(mode="agent-chat")),
    (flow, lambda broken: broken["app"].update(mode="advanced-chat")),
    (envelope, lambda broken: broken["app"].update(name="")),
    (envelope, lambda broken: broken.update(dependencies=[{}])),
    (envelope, lambda broken: broken["workflow"].update(conversation_variables=[{}])),
    (boxes, lambda broken: broken["workflow"]["graph"]["nodes"].append(node(broken, "push"))),
    (boxes, lambda broken: node(broken, "push").update(id="push-1")),
    (boxes, lambda broken: node(broken, "push").update(type="tool")),
    (boxes, lambda broken: node(broken, "push").pop("width")),
    (boxes, lambda broken: node(broken, "push").update(sourcePosition="bottom")),
    (lines, lambda broken: edges(broken)[0].update(target="nowhere")),
    (lines, lambda broken: edges(broken)[0].update(sourceHandle="success-branch")),
    (lines, lambda broken: edges(broken)[0].update(id="1")),
    (lines, lambda broken: edges(broken)[0]["data"].update(targetType="llm")),
    (flow, lambda broken: edges(broken).pop()),
    (flow, lambda broken: edges(broken).append({"source": "push", "target": "analysis"})),
    (flow, lambda broken: node(broken, "end")["data"].update(type="answer")),
    (layout, lambda broken: node(broken, "push")["position"].update(x=400)),
    (layout, lambda broken: node(broken, "end")["position"].update(x=0)),
    (layout, lambda broken: node(broken, "end")["positionAbsolute"].update(x=0)),
    (references, lambda broken: setting(broken, "content").update(value="{{#analysis.nothing#}}")),
    (references, lambda broken: setting(broken, "content").update(value="{{#end.report#}}")),
    (references, lambda broken: setting(broken, "content").update(value="{{ analysis.text }}")),
    (references, lambda broken: setting(broken, "content").update(value="{{#env.NOTHING#}}")),
    (references, lambda broken: setting(broken, "content").update(value="{{#sys.query#}}")),
    (references, lambda broken: setting(broken, "content").update(value="{{#start.nothing#}}")),
    (references, lambda broken: node(broken, "end")["data"]["outputs"][0].update(value_selector=["push", "no"])),
    (
        references,
        lambda broken: node(broken, "analysis")["data"]["tool_parameters"]["file"].update(value=["push", "a"]),
    ),
    (parameters, lambda broken: node(broken, "push")["data"]["tool_parameters"].pop("content")),
    (parameters, lambda broken: node(broken, "push")["data"]["tool_configurations"].pop("access_token")),
    (parameters, lambda broken: node(broken, "push")["data"]["tool_parameters"].update(keyword={"value": ""})),
    (parameters, lambda broken: node(broken, "push")["data"]["tool_configurations"].update(nothing={"value": ""})),
    (parameters, lambda broken: setting(broken, "base_url").update(type="constant")),
    (parameters, lambda broken: setting(broken, "table_mode").update(value="image")),
    (parameters, lambda broken: setting(broken, "at_all").update(value="false")),
    (parameters, lambda broken: setting(broken, "deadline_s").update(value=551)),
    (tools, lambda broken: node(broken, "push")["data"].update(provider_id="opskit")),
    (tools, lambda broken: node(broken, "push")["data"].update(tool_node_version="1")),
    (tools, lambda broken: node(broken, "push")["data"].update(tool_label="DingTalk")),
    (tools, lambda broken: node(broken, "push")["data"].update(tool_description="DingTalk")),
    (tools, lambda broken: node(broken, "push")["data"].pop("plugin_id")),
    (variables, lambda broken: environment(broken)["DINGTALK_TOKEN"].update(value="a-token")),
    (secrets, lambda broken: environment(broken)["DINGTALK_TOKEN"].update(value_type="string")),
    (variables, lambda broken: environment(broken)["DINGTALK_TOKEN"].update(selector=["env", "TOKEN"])),
    (variables, lambda broken: environment(broken)["DINGTALK_TOKEN"].pop("id")),
    (secrets, lambda broken: setting(broken, "access_token").update(value="a-token")),
    (secrets, lambda broken: setting(broken, "access_token").update(value="{{#env.DINGTALK_KEYWORD#}}")),
    (secrets, lambda broken: setting(broken, "content").update(value="{{#env.DINGTALK_SECRET#}}")),
    (variables, lambda broken: setting(broken, "keyword").update(value="")),
    (files, lambda broken: node(broken, "start")["data"]["variables"][0].update(allowed_file_types=["custom"])),
]


@pytest.mark.parametrize(
    ("rule", "breakage"), BREAKAGES, ids=[f"{rule.__name__}-{place}" for place, (rule, _) in enumerate(BREAKAGES)]
)
def test_a_rule_notices_what_breaks_it(rule: Rule, breakage: Callable[[Document], object]) -> None:
    broken = copy.deepcopy(load(REPORT))
    breakage(broken)
    assert list(rule(broken))


def test_the_model_is_told_not_to_invent_numbers() -> None:
    comment = nodes(load(ROOT / "examples" / "workflows" / "daily_sales_report_ai.yml"))["comment"]["data"]
    system, user = comment["prompt_template"]
    assert (system["role"], user["role"]) == ("system", "user")
    assert "编造" in system["text"]
    assert "{{#analysis.text#}}" in user["text"]


def test_the_example_file_is_what_the_script_makes() -> None:
    assert sample_data.PATH.read_bytes() == sample_data.table().encode("utf-8")
    assert sample_data.table() == sample_data.table()


def test_the_example_file_is_a_clean_table() -> None:
    raw = sample_data.PATH.read_bytes()
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in raw
    assert raw.endswith(b"\n")
    assert raw.splitlines()[0] == b"Date,Product,Price,Amount,Region"


def test_the_example_month_is_plausible() -> None:
    rows = list(csv.DictReader(io.StringIO(sample_data.table())))
    sales: dict[date, Decimal] = defaultdict(Decimal)
    for row in rows:
        sales[date.fromisoformat(row["Date"])] += Decimal(row["Price"]) * int(row["Amount"])
    days = sorted(sales)
    assert days == [date(2026, 10, day) for day in range(1, 32)]
    assert [row["Date"] for row in rows] == sorted(row["Date"] for row in rows)
    counts = Counter(row["Date"] for row in rows)
    assert all(15 <= counts[day.isoformat()] <= 26 for day in days if day != sample_data.PROMOTION_DAY)
    assert len({row["Product"] for row in rows}) == len(sample_data.PRODUCTS)
    assert len({row["Region"] for row in rows}) == len(sample_data.REGIONS) == 7

    def mean(chosen: list[date]) -> Decimal:
        return sum((sales[day] for day in chosen), Decimal(0)) / len(chosen)

    ordinary = [day for day in days if day.day > 7 and day.weekday() < 5]
    assert mean([day for day in days if day.day > 7 and day.weekday() >= 5]) > mean(ordinary)
    assert mean([day for day in days if day.day <= 7]) > mean(ordinary)
    assert max(days, key=lambda day: sales[day]) == sample_data.PROMOTION_DAY
    assert sales[days[-1]] > 60_000


def test_the_last_day_shows_every_price_range_and_region() -> None:
    rows = [row for row in csv.DictReader(io.StringIO(sample_data.table())) if row["Date"] == "2026-10-31"]
    ends = (100, 500, 1000, 5000)
    assert {sum(Decimal(row["Price"]) > end for end in ends) for row in rows} == {0, 1, 2, 3, 4}
    assert {row["Region"] for row in rows} == {name for name, _ in sample_data.REGIONS}
