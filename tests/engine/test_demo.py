"""The demo as a person runs it: what it says, what it writes, how it ends, and that it keeps secrets."""

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from devtools import demo as program
from devtools import engine, robot
from devtools.robot import Robot

ROOT = Path(__file__).resolve().parents[2]
SECRET = "SECfake0123456789abcdef"
MADE = ("trend.png", "products.png", "regions.png", "pareto.png", "report.html", "report.xlsx")


def demo(out: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DINGTALK_")}
    return subprocess.run(
        [sys.executable, "-m", "devtools.demo", "--out", str(out), *arguments],
        cwd=ROOT,
        env=inherited | {"PYTHONIOENCODING": "utf-8"} | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def test_shows_the_message_and_writes_it(tmp_path: Path) -> None:
    ended = demo(tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert re.search(r"starting the plugin … ready in \d+\.\d s\n", ended.stdout)
    assert re.search(r"  销售分析 +\d+\.\d\d s\n  钉钉推送 +\d+\.\d\d s\n", ended.stdout)
    assert ended.stdout.count("✓") == 7
    assert "✗" not in ended.stdout
    assert re.search(r"\ndone in \d+\.\d s\n$", ended.stdout)
    assert {path.name for path in tmp_path.iterdir()} == {"daily_sales_report.md", *MADE}
    assert (tmp_path / "trend.png").read_bytes().startswith(b"\x89PNG")
    assert all(name in ended.stdout for name in MADE)
    text = (tmp_path / "daily_sales_report.md").read_text(encoding="utf-8")
    assert text.startswith("### 2026-10-31 销售日报\n")
    assert all(line in ended.stdout for line in text.splitlines())
    assert "SEC" not in ended.stdout
    assert "t0ken-for-the-demo" not in ended.stdout


def test_takes_ones_own_file_and_replaces_what_it_wrote_before(tmp_path: Path) -> None:
    mine = tmp_path / "mine.csv"
    mine.write_text("Date,Product,Price,Amount,Region\n2026-01-02,Lamp,10,3,North\n", encoding="utf-8")
    out = tmp_path / "out"
    out.mkdir()
    (out / "daily_sales_report.2.md").write_text("of an earlier run")
    ended = demo(out, "--file", str(mine))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert {path.name for path in out.iterdir()} == {"daily_sales_report.md", *MADE}
    assert "**30.00**" in (out / "daily_sales_report.md").read_text(encoding="utf-8")


def test_a_broken_file_ends_it_with_the_reason(tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_text("Name,Age\nLi,30\n", encoding="utf-8")
    ended = demo(tmp_path / "out", "--file", str(broken))
    assert ended.returncode == 1
    assert "[missing_columns]" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "out").exists()


def test_a_missing_file_is_told_at_once(tmp_path: Path) -> None:
    ended = demo(tmp_path / "out", "--file", str(tmp_path / "nothing.csv"))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(r"\nThe demo failed: there is no file .*nothing\.csv\.\n", ended.stderr)


def test_a_file_that_dify_would_not_take_is_told(tmp_path: Path) -> None:
    picture = tmp_path / "sales.png"
    picture.write_bytes(b"\x89PNG")
    ended = demo(tmp_path / "out", "--file", str(picture))
    assert ended.returncode == 1
    assert "Dify would not start this run: File validation failed for file: sales.png." in ended.stderr


def test_sends_to_the_group_that_the_environment_names(tmp_path: Path) -> None:
    token = secrets.token_hex(32)
    with Robot(token=token, secret=SECRET, keywords=("OpsKit",)) as robot:
        environment = {"DINGTALK_TOKEN": token, "DINGTALK_KEYWORD": "OpsKit", "DINGTALK_BASE_URL": robot.url}
        ended = demo(tmp_path / "out", DINGTALK_SECRET=SECRET, **environment)
        assert (ended.returncode, ended.stderr) == (0, "")
        [message] = robot.posted
    assert "this goes to the real group" in ended.stdout
    assert message["markdown"]["text"].endswith("OpsKit")
    assert token not in ended.stdout
    assert SECRET not in ended.stdout
    assert (tmp_path / "out" / "daily_sales_report.md").exists()


def test_a_group_that_refuses_ends_it_without_showing_secrets(tmp_path: Path) -> None:
    token, wrong = secrets.token_hex(32), "SECwrong0123456789"
    with Robot(token=token, secret=SECRET) as robot:
        webhook = f"{robot.url}/robot/send?access_token={token}"
        ended = demo(tmp_path / "out", DINGTALK_TOKEN=webhook, DINGTALK_SECRET=wrong)
        assert (robot.calls, robot.posted) == (1, [])
    assert ended.returncode == 1
    assert "[robot_signature]" in ended.stderr
    for secret in (token, wrong):
        assert secret not in ended.stdout + ended.stderr


NOW = 1_800_000_000.0


def request(*, epoch_s: float = NOW, secret: str = SECRET, twice: bool = False, body: bytes = b"{}") -> robot.Request:
    timestamp = str(int(epoch_s * 1000))
    sign = robot.signature(secret, timestamp).decode()
    query = urlencode({"access_token": "t", "timestamp": timestamp, "sign": quote(sign) if twice else sign})
    return robot.Request("POST", f"/robot/send?{query}", {}, body, NOW)


@pytest.fixture
def group() -> Iterator[Robot]:
    """A robot that got one message as it should."""
    with Robot(secret=SECRET) as running:
        message = {"markdown": {"title": "日报", "text": "一"}, "msgUuid": "a"}
        running.posted.append(message)
        running.requests.append(request(body=json.dumps(message).encode()))
        yield running


def failed(group: Robot, *uuids: str) -> list[str]:
    """The findings that are not right."""
    outcome = engine.Run("succeeded", {}, "", {"push": {"message_ids": list(uuids) or ["a"]}}, {})
    return [check.finding for check in program.checks(group, outcome) if not check.passed]


def test_checks_pass_when_all_is_well(group: Robot) -> None:
    assert failed(group) == []


@pytest.mark.parametrize(
    ("wrong", "finding"),
    [
        (request(secret="SECanother"), "signed"),
        (request(twice=True), "signed"),
        (request(twice=True), "encoded once"),
        (request(epoch_s=NOW - 3601), "timestamp: 3601.0 s off"),
        (request(body=b"x" * 20_001), "size: 20,001 bytes"),
    ],
)
def test_checks_look_at_the_request(group: Robot, wrong: robot.Request, finding: str) -> None:
    group.requests[0] = wrong
    assert any(line.startswith(finding) for line in failed(group))


def test_checks_look_at_the_message(group: Robot) -> None:
    group.posted[0]["markdown"]["title"] = "周报"
    assert failed(group) == ["keyword: 日报"]


def test_checks_look_at_the_rate(group: Robot) -> None:
    first = group.requests[0]
    group.requests += [replace(first, time=NOW + second) for second in range(20)]
    assert failed(group) == ["rate: 21 in a minute, 20 are allowed"]


def test_checks_look_at_what_was_delivered(group: Robot) -> None:
    assert failed(group, "a", "b") == ["delivered once: 1 message in 1 call"]
    group.duplicates.append(group.posted[0])
    assert failed(group) == ["delivered once: 1 message in 1 call"]


def test_several_parts_are_shown_and_written_one_by_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program.show(["# one", "# two"], tmp_path)
    assert "in the group, part 2 of 2:\n\n  # two\n" in capsys.readouterr().out
    written = {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert written == {
        "daily_sales_report.md": "# one\n\n# two\n",
        "daily_sales_report.1.md": "# one\n",
        "daily_sales_report.2.md": "# two\n",
    }


@pytest.mark.parametrize(("screen", "person", "opened"), [(":0", 1, 1), (":0", 0, 0), ("", 1, 0)])
def test_a_picture_is_opened_where_somebody_sees_it(
    screen: str, person: int, opened: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[list[object]] = []
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("DISPLAY", screen)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: bool(person))
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr("subprocess.Popen", lambda command, **_: seen.append(command))
    program.open_picture([tmp_path / "trend.png", tmp_path / "report.html"])
    assert seen == [["/bin/xdg-open", tmp_path / "trend.png"]] * opened


def test_a_failed_check_fails_the_demo(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "checks", lambda *_: iter([program.Check(passed=False, finding="keyword")]))
    monkeypatch.setattr("sys.argv", ["make demo", "--out", str(tmp_path / "out")])
    assert program.main() == 1
    shown = capsys.readouterr()
    assert "✗ keyword" in shown.out
    assert "the robot did not get what it should" in shown.err
    assert not (tmp_path / "out").exists()


def test_a_message_that_is_not_delivered_fails_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = engine.Run("succeeded", {"delivered": False}, "", {}, {})
    monkeypatch.setattr(engine, "run", lambda *_, **__: outcome)
    with pytest.raises(program.DemoFailed, match="not delivered"):
        program.run(program.SALES, {})


def test_secrets_of_the_environment_are_blanked_in_what_went_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(*_: object) -> list[str]:
        raise program.DemoFailed(f"it said {SECRET}")

    monkeypatch.setenv("DINGTALK_TOKEN", SECRET)
    monkeypatch.setattr(program, "to_real_group", failing)
    monkeypatch.setattr("sys.argv", ["make demo"])
    assert program.main() == 1
    assert capsys.readouterr().err == "\nThe demo failed: it said ***\n"
