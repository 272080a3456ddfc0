"""The main job, from a file to a DingTalk group: ``python -m devtools.demo [--file my.csv]``.

The plugin runs as Dify runs it, and ``daily_sales_report.yml`` on Dify's own engine. The group is a robot on this
machine that refuses what the real one refuses, or a real one: with DINGTALK_TOKEN in the environment, and
DINGTALK_SECRET, DINGTALK_KEYWORD and DINGTALK_BASE_URL where that robot needs them.
"""

import argparse
import io
import logging
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from unicodedata import east_asian_width
from urllib.parse import urlsplit

from graphon.engine_events.base import EngineEvent
from graphon.engine_events.node import (
    NodeRunExceptionEvent,
    NodeRunFailedEvent,
    NodeRunStartedEvent,
    NodeRunSucceededEvent,
)

from devtools import engine, robot
from devtools.catalog import ROOT
from devtools.plugin_process import PluginProcess
from opskit import redaction

WORKFLOW = ROOT / "examples" / "workflows" / "daily_sales_report.yml"
SALES = ROOT / "examples" / "data" / "daily_sale_data.csv"
KEYWORD = "日报"
_SETTINGS = ("DINGTALK_TOKEN", "DINGTALK_SECRET", "DINGTALK_KEYWORD", "DINGTALK_BASE_URL")
_SECRETS = ("DINGTALK_TOKEN", "DINGTALK_SECRET")
# How this machine reaches the internet; the plugin starts with an empty environment otherwise.
_NETWORK = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
_TITLE_WIDTH = 12


class DemoFailed(Exception):
    """What went wrong, in a sentence for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the robot insists on: what was found, and whether it is right."""

    passed: bool
    finding: str


def main() -> int:
    """Run the demo; 0 when everything is as it should be."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that cannot show Chinese shows question marks
        sys.stdout.reconfigure(errors="replace")
    parser = argparse.ArgumentParser(prog="make demo", description="The main job from a file to a DingTalk group.")
    parser.add_argument("--file", type=Path, default=SALES, help="a CSV of sales (default: the example month)")
    parser.add_argument("--out", type=Path, default=ROOT / "out", help="where the message is written to")
    options = parser.parse_args()
    logging.getLogger("graphon").addHandler(logging.NullHandler())  # the demo tells about failures itself
    real = {name: os.environ[name].strip() for name in _SETTINGS if os.environ.get(name, "").strip()}
    began = time.perf_counter()
    try:
        outcome, messages = to_real_group(options.file, real) if "DINGTALK_TOKEN" in real else to_loopback(options.file)
        show(messages, options.out)
        open_picture(keep(outcome, options.out))
    except (DemoFailed, OSError) as error:
        text = redaction.blank(str(error), [real[name] for name in _SECRETS if name in real])
        print(f"\nThe demo failed: {text}", file=sys.stderr)
        return 1
    print(f"\ndone in {time.perf_counter() - began:.1f} s")
    return 0


def to_loopback(file: Path) -> tuple[engine.Run, list[str]]:
    """Send to a robot on this machine, verify what it got, and return the run and the texts that its group sees."""
    secret = f"SEC{secrets.token_hex(32)}"
    with robot.Robot(secret=secret, keywords=(KEYWORD,)) as group:
        settings = {
            "DINGTALK_TOKEN": group.token,
            "DINGTALK_SECRET": secret,
            "DINGTALK_KEYWORD": KEYWORD,
            "DINGTALK_BASE_URL": group.url,
        }
        outcome = run(file, settings)
        if not group.posted:
            raise DemoFailed("the workflow succeeded, but nothing arrived in the group.")
        print("\na robot on this machine, as strict as the real one, got:")
        found = list(checks(group, outcome))
        for check in found:
            print(f"  {'✓' if check.passed else '✗'} {check.finding}")
        if not all(check.passed for check in found):
            raise DemoFailed("the robot did not get what it should; see the lines marked ✗.")
        for body in group.posted:
            print(f"\nin the list of conversations:\n  {body['markdown']['title']}")
        return outcome, [str(body["markdown"]["text"]) for body in group.posted]


def to_real_group(file: Path, settings: Mapping[str, str]) -> tuple[engine.Run, list[str]]:
    """Send to the group that the environment names, and return the run and the text that was sent."""
    signed = "signed" if "DINGTALK_SECRET" in settings else "not signed, because DINGTALK_SECRET is not set"
    print(f"DINGTALK_TOKEN is set: this goes to the real group of that robot, {signed}")
    network = {name: os.environ[name] for name in _NETWORK if name in os.environ}
    outcome = run(file, settings, network)
    print(f"\n{outcome.node_outputs['push']['report']}")
    return outcome, [str(outcome.outputs["report"])]


def run(file: Path, settings: Mapping[str, str], network: dict[str, str] | None = None) -> engine.Run:
    """The workflow's run; DemoFailed unless it succeeded and DingTalk took the message."""
    if not file.is_file():
        raise DemoFailed(f"there is no file {file}.")
    with ExitStack() as stack:
        print("starting the plugin … ", end="", flush=True)
        try:
            plugin = stack.enter_context(PluginProcess(ROOT, environment=network))
        except RuntimeError as error:
            raise DemoFailed(str(error)) from None
        print(f"ready in {plugin.ready_s:.1f} s")
        print(f"\nrunning {WORKFLOW.name} on {file.name}")
        try:
            outcome = engine.run(WORKFLOW, plugin, inputs={"file": file}, environment=settings, on_event=Progress())
        except ValueError as error:
            raise DemoFailed(f"Dify would not start this run: {error}.") from None
    if outcome.status != "succeeded":
        raise DemoFailed(outcome.error)
    if outcome.outputs.get("delivered") is not True:
        raise DemoFailed("the workflow ended, but the message was not delivered.")
    return outcome


class Progress:
    """Prints each node with the time that it took."""

    def __init__(self) -> None:
        self._began: dict[str, float] = {}

    def __call__(self, event: EngineEvent) -> None:
        """Listen to an event of the engine."""
        match event:
            case NodeRunStartedEvent():
                self._began[event.id] = time.perf_counter()
                width = sum(2 if east_asian_width(letter) in "WF" else 1 for letter in event.node_title)
                print(f"  {event.node_title}{' ' * (_TITLE_WIDTH - width)}", end="", flush=True)
            case NodeRunSucceededEvent():
                print(f"{time.perf_counter() - self._began[event.id]:6.2f} s", flush=True)
            case NodeRunFailedEvent() | NodeRunExceptionEvent():
                print("failed", flush=True)


def checks(group: robot.Robot, outcome: engine.Run) -> Iterator[Check]:
    """What a robot insists on, looked up in what arrived: at least one message."""
    calls, bodies = group.requests, group.posted
    uuids = outcome.node_outputs["push"]["message_ids"]
    posted = [body.get("msgUuid") for body in bodies]
    once = posted == uuids and len(set(posted)) == len(posted) and not group.duplicates
    yield Check(once, f"delivered once: {_count(len(bodies), 'message')} in {_count(group.calls, 'call')}")

    signatures = [
        (call.query["sign"], robot.signature(group.secret or "", call.query["timestamp"][0])) for call in calls
    ]
    yield Check(all(given == [right.decode()] for given, right in signatures), "signed: HMAC-SHA256 with the secret")
    raw = [dict(part.partition("=")[::2] for part in urlsplit(call.target).query.split("&")) for call in calls]
    yield Check(not any("%25" in query["sign"] for query in raw), "encoded once, not twice")
    skew_s = max(abs(call.time - int(call.query["timestamp"][0]) / 1000) for call in calls)
    yield Check(skew_s * 1000 <= robot.MAX_SKEW_MS, f"timestamp: {skew_s:.1f} s off, an hour is allowed")

    size = max(len(call.body) for call in calls)
    yield Check(size <= robot.MAX_BODY, f"size: {size:,} bytes, {robot.MAX_BODY:,} are allowed")
    words = [body["markdown"]["title"] + body["markdown"]["text"] for body in bodies]
    yield Check(all(KEYWORD in text for text in words), f"keyword: {KEYWORD}")
    busiest = max(sum(0 <= later.time - call.time < robot.WINDOW_S for later in calls) for call in calls)
    yield Check(busiest <= robot.PER_WINDOW, f"rate: {busiest} in a minute, {robot.PER_WINDOW} are allowed")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def show(messages: list[str], out: Path) -> None:
    """Print the messages as the group sees them and write them to ``out``, several parts also one by one."""
    for number, text in enumerate(messages, 1):
        print(f"\nin the group{f', part {number} of {len(messages)}' if len(messages) > 1 else ''}:\n")
        print("\n".join(f"  {line}".rstrip() for line in text.splitlines()))
    out.mkdir(parents=True, exist_ok=True)
    for stale in out.glob(f"{WORKFLOW.stem}*.md"):
        stale.unlink()
    files = {f"{WORKFLOW.stem}.md": "\n\n".join(messages)}
    if len(messages) > 1:
        files |= {f"{WORKFLOW.stem}.{number}.md": text for number, text in enumerate(messages, 1)}
    for name, text in files.items():
        (out / name).write_text(f"{text}\n", encoding="utf-8")
    print(f"\nwritten to {', '.join(str(_short(out / name)) for name in files)}")


def keep(outcome: engine.Run, out: Path) -> list[Path]:
    """Write the pictures and reports that the workflow made to ``out``."""
    written = []
    for file in outcome.outputs["files"]:
        written.append(out / file.filename)
        written[-1].write_bytes(outcome.files[file.reference].content)
    print(f"with {', '.join(str(_short(path)) for path in written)}")
    return written


def open_picture(files: list[Path]) -> None:
    """Show the first picture, where there is a screen and somebody to look at it."""
    picture = next(path for path in files if path.suffix == ".png")
    viewer = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    screen = sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if viewer and screen and sys.stdout.isatty():
        print(f"opening {_short(picture)}")
        subprocess.Popen([viewer, picture], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _short(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


if __name__ == "__main__":
    sys.exit(main())
