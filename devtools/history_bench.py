"""``make bench``: two versions of a workflow with 500 nodes, compared and told, beside ``yaml.safe_load`` of both.

``yaml.safe_load`` is what people call: PyYAML's own parser, in Python. The one of libyaml stands beside it. The two are
measured in turn, and the best of some rounds counts. Then a snapshot of many apps, beside what the answers of a
console alone would take at the same parallelism. Exits with 1 when a target is missed.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import yaml

from devtools.dify_server import App, DifyServer, simple_flow
from devtools.plugin_storage import Memory
from devtools.sales_bench.table import lines, most, targets
from opskit import history, versions
from opskit.versions.take import PARALLEL

NODES = 500
_LIMIT = 5.0
_CANONICAL_LIMIT_S = 1.0
_ROUNDS = 3
APPS = 50
_ANSWER_S = 0.05
_SNAPSHOT_LIMIT = 1.3
_EVERY = 10  # one node in ten has changed
_PROMPT = (
    "你是零售公司的经营分析师。只能使用日报中出现的数字，照抄原文。\n\n"
    "Write {tone} sentences about {{{{#n{before}.text#}}}}.\n"
)
_CODE = 'def main(text: str) -> dict:\n    parts = text.split("{sign}")\n    return {{"result": parts[:{number}]}}\n'


def workflow(nodes: int = NODES, *, changed: bool = False) -> str:
    """The YAML of a workflow in the form that Dify exports; ``changed``: every tenth node, and all positions."""
    made = [_node(number, changed=changed and number % _EVERY == 0, shift=7 * changed) for number in range(nodes)]
    edges = [
        {
            "data": {"isInIteration": False, "sourceType": "llm", "targetType": "code"},
            "id": f"n{number}-source-n{number + 1}-target",
            "source": f"n{number}",
            "sourceHandle": "source",
            "target": f"n{number + 1}",
            "targetHandle": "target",
            "type": "custom",
            "zIndex": 0,
        }
        for number in range(nodes - 1)
    ]
    document = {
        "app": {"mode": "workflow", "name": "large", "icon": "🛡️", "description": ""},
        "dependencies": [],
        "kind": "app",
        "version": "0.6.0",
        "workflow": {
            "conversation_variables": [],
            "environment_variables": [
                {"id": "e1", "name": "TOKEN", "value": "", "value_type": "secret", "description": ""}
            ],
            "features": {"file_upload": {"enabled": False}, "opening_statement": ""},
            "graph": {"edges": edges, "nodes": made, "viewport": {"x": 0, "y": 0, "zoom": 1}},
        },
    }
    return yaml.safe_dump(document, allow_unicode=True)


def _node(number: int, *, changed: bool, shift: int) -> dict[str, Any]:
    data: dict[str, Any] = {"title": f"节点 {number}", "desc": "", "selected": False}
    if number % 2:
        inputs = [{"variable": "text", "value_selector": [f"n{number - 1}", "text"]}]
        code = _CODE.format(sign="," if changed else ";", number=number)
        data |= {"type": "code", "code": code, "code_language": "python3", "variables": inputs}
        data |= {"outputs": {"result": {"type": "array[string]", "children": None}}}
    else:
        prompt = _PROMPT.format(tone="three" if changed else "two", before=max(number - 1, 0))
        messages = [
            {"id": f"p{number}-{role}", "role": role, "text": prompt, "edition_type": "basic"}
            for role in ("system", "user")
        ]
        params = {"temperature": 0.2, "max_tokens": 512}
        model = {
            "provider": "langgenius/tongyi/tongyi",
            "name": "qwen-plus",
            "mode": "chat",
            "completion_params": params,
        }
        data |= {"type": "llm", "model": model, "prompt_template": messages, "vision": {"enabled": False}}
        data |= {"context": {"enabled": False, "variable_selector": []}, "variables": []}
    place = {"x": 80 + 304 * number + shift, "y": 282}
    shape = {"height": 90, "width": 244, "selected": False, "sourcePosition": "right", "targetPosition": "left"}
    return {"data": data, "id": f"n{number}", "position": place, "positionAbsolute": place, "type": "custom"} | shape


def compared(left: str, right: str) -> history.Comparison:
    """What a tool does with two texts: read them, take them into canonical form, compare, and tell."""
    comparison = history.compare(history.canonical(history.read(left)), history.canonical(history.read(right)))
    history.report(comparison, "en_US")
    return comparison


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def snapshot(apps: int) -> tuple[float, float]:
    """The seconds of a snapshot of so many apps, and the ideal: the console's answers, so many at once, and no more."""
    with DifyServer() as dify:
        for number in range(apps):
            dify.add(App(f"app {number}", draft=simple_flow(f"v{number}")))
        door, dify.console.latency_s = dify.console.door, _ANSWER_S
        access = {"base_url": dify.url, "admin_key": door.admin_key, "workspace_id": door.workspace_id}
        order = versions.Order.model_validate({"app_ids": "all", **access})
        took = seconds(lambda: versions.take(order, Memory()))
        calls = len(dify.console.calls)
        listing = dify.console.calls.count("apps")
    each = (calls - listing) // apps  # calls of one app, which follow one another
    return took, _ANSWER_S * (listing + each * math.ceil(apps / PARALLEL))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and say which targets are met."""
    options = argparse.ArgumentParser(prog="python -m devtools.history_bench")
    options.add_argument("--nodes", type=int, default=NODES, help="nodes of each workflow")
    options.add_argument("--apps", type=int, default=APPS, help="apps of a snapshot")
    given = options.parse_args(arguments)
    count = given.nodes
    texts = workflow(count), workflow(count, changed=True)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    works: dict[str, Callable[[], object]] = {
        "yaml.safe_load of both": lambda: [yaml.safe_load(text) for text in texts],
        "the same with libyaml": lambda: [yaml.load(text, Loader=loader) for text in texts],  # noqa: S506 - a safe one
        "read, compared and told": lambda: compared(*texts),
        "one: read and written": lambda: history.canonical(history.read(texts[0])).text,
    }
    rounds = [{name: seconds(work) for name, work in works.items()} for _ in range(_ROUNDS)]
    best = {name: min(took[name] for took in rounds) for name in works}
    first, ours = best["yaml.safe_load of both"], best["read, compared and told"]
    rows = [[name, f"{took:.3f}", f"{took / first:.2f}"] for name, took in best.items()]
    print(
        lines(f"two workflows of {count} nodes, {len(texts[0].encode()) / 1e6:.1f} MB each", ("", "s", "ratio"), rows)
    )
    took, ideal = min((snapshot(given.apps) for _ in range(_ROUNDS)), key=lambda pair: pair[0] / pair[1])
    rows = [["the console's answers alone", f"{ideal:.3f}", "1.00"], ["snapshot", f"{took:.3f}", f"{took / ideal:.2f}"]]
    print(lines(f"{given.apps} apps, {_ANSWER_S * 1000:.0f} ms per answer", ("", "s", "ratio"), rows))
    verdicts = [
        most(f"{given.apps} apps: snapshot ÷ the console's answers alone", took / ideal, _SNAPSHOT_LIMIT, "times"),
        most(f"{count} nodes: comparison ÷ yaml.safe_load of both", ours / first, _LIMIT, "times"),
        most(f"{count} nodes: canonical form of one", best["one: read and written"], _CANONICAL_LIMIT_S, "s"),
    ]
    print(targets(verdicts, "workflow history"))
    return int(any(verdict.met is False for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
