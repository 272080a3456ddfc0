"""The Service API of a Dify on this machine, through the client."""

import contextlib
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from devtools.dify_server import MODES, DifyServer, Pace
from devtools.dify_server import App as Served
from opskit.dify import App, Run, Server
from opskit.dify import events as stream_events
from opskit.dify import service as client
from opskit.dify.form import Field
from opskit.errors import InvalidCredentials, InvalidInput, OpskitError, Refused, Unavailable
from opskit.http import Deadline, Reach

PACE = Pace(ping_s=0.2, silence_s=30, drip_s=0.001)
GRAPHS = ("workflow", "advanced-chat")


@pytest.fixture
def dify() -> Iterator[DifyServer]:
    with DifyServer(pace=PACE) as server:
        yield server


def soon(seconds: float = 10) -> float:
    return time.monotonic() + seconds


@contextlib.contextmanager
def calling(dify: DifyServer, served: Served, headers: dict[str, str] | None = None) -> Iterator[App]:
    with App(Server.at(dify.url, headers), served.key) as app:
        yield app


def asked(**more: Any) -> dict[str, Any]:
    return {"inputs": {}, "user": "u1", "query": "hi", **more}


def streamed(app: App, mode: str, **more: Any) -> list[dict[str, Any]]:
    with app.stream(mode, asked(**more), soon()) as events:
        return list(events)


@contextlib.contextmanager
def answering(body: bytes, status: int = 200, kind: str = "application/json") -> Iterator[App]:
    """An app at a server that is none of Dify's, and says the same to everybody."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with App(Server.at(f"http://127.0.0.1:{server.server_address[1]}"), "app-fake-key") as app:
                yield app
        finally:
            server.shutdown()
            thread.join()


# The server


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        ("https://api.dify.ai/v1", "https://api.dify.ai/v1"),
        ("https://api.dify.ai", "https://api.dify.ai/v1"),
        (" HTTP://Dify.example:8080/dify/ ", "http://dify.example:8080/dify/v1"),
        ("http://dify.example/v1//", "http://dify.example/v1"),
        ("http://dify.example/v1/?x=1#y", "http://dify.example/v1"),
    ],
)
def test_the_address_is_taken_with_and_without_its_v1(base_url: str, address: str) -> None:
    assert Server.at(base_url).address.text == address


@pytest.mark.parametrize("base_url", ["", "api.dify.ai", "ftp://api.dify.ai", "http://u:p@dify.example", "http://"])
def test_what_is_no_address_says_what_one_looks_like(base_url: str) -> None:
    with pytest.raises(InvalidInput, match=r"\[bad_dify_url\] base_url") as refused:
        Server.at(base_url)
    assert refused.value.__suppress_context__


def test_an_address_that_a_model_may_have_chosen_gets_keys_only_where_they_are_safe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPSKIT_TRUSTED_HOSTS", "dify.corp.example")
    for host in ("api.dify.ai", "dify.ai", "dify.corp.example"):
        assert Server.at(f"https://{host}", by_model=True).reach is Reach.INTERNAL
    assert Server.at("https://evil.example", by_model=True).reach is Reach.PRIVATE
    assert Server.at("https://evil.example").reach is Reach.INTERNAL
    with (
        App(Server.at("http://93.184.216.34", by_model=True), "app-fake-key") as app,
        pytest.raises(Refused, match="trusted"),
    ):
        app.mode(soon())


def test_nothing_that_is_printed_holds_a_header(dify: DifyServer) -> None:
    assert "fake-gate" not in repr(Server.at(dify.url, {"X-Gate": "fake-gate"}))


# What is asked before a run


@pytest.mark.parametrize("mode", MODES)
def test_the_mode_is_told(dify: DifyServer, mode: str) -> None:
    with calling(dify, dify.add(Served("a", mode))) as app:
        assert app.mode(soon()) == mode


@pytest.mark.parametrize("body", [b"{}", b'{"mode": null}', b'{"mode": 3}'])
def test_a_server_that_does_not_tell_the_mode_is_not_guessed_at(body: bytes) -> None:
    with answering(body) as app, pytest.raises(Refused, match=r"\[dify_untold\]"):
        app.mode(soon())


def test_the_form_is_told(dify: DifyServer) -> None:
    form = [{"text-input": {"variable": "name", "required": True, "max_length": 48}}]
    served = dify.add(Served("a", form=form))
    with calling(dify, served) as app:
        assert app.form(soon()).fields == (Field("name", "text-input", required=True, max_length=48, options=()),)
        served.published = False
        with pytest.raises(Refused, match="dify_app_unavailable"):
            app.form(soon())


def test_a_file_is_uploaded_as_what_it_is_and_for_one_user(dify: DifyServer, tmp_path: Path) -> None:
    path = tmp_path / "0"
    path.write_bytes("日期,销售额\n".encode())
    with calling(dify, dify.add(Served("a"))) as app:
        number = app.upload(path, "销售 数据.csv", "text/csv", user="u1", ends=soon())
        streamed(app, "workflow")  # the headers of an upload do not stay
    (upload,) = dify.uploads
    assert (upload.id, upload.name, upload.kind, upload.mime_type) == (number, "销售 数据.csv", "document", "text/csv")
    assert (upload.user, upload.content) == ("u1", path.read_bytes())


def test_a_file_that_is_too_large_is_the_users_to_mend(dify: DifyServer, tmp_path: Path) -> None:
    path = tmp_path / "0"
    path.write_bytes(bytes(15 * 1024 * 1024 + 1))
    with calling(dify, dify.add(Served("a"))) as app, pytest.raises(InvalidInput, match=r"dify_file.*file_too_large"):
        app.upload(path, "a.csv", "text/csv", user="u1", ends=soon())


# Keys and headers


def test_the_key_goes_along_and_no_password_of_a_netrc_file(
    dify: DifyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password fake-password\n")
    monkeypatch.setenv("NETRC", str(netrc))
    served = dify.add(Served("a"))
    with calling(dify, served) as app:
        app.mode(soon())
    assert dify.requests[0].headers["authorization"] == f"Bearer {served.key}"


def test_further_headers_go_with_every_call(dify: DifyServer, tmp_path: Path) -> None:
    served = dify.add(Served("a", headers_required={"X-Gate": "fake-gate"}))
    (tmp_path / "0").write_bytes(b"x")
    with calling(dify, served, {"x-gate": "fake-gate"}) as app:
        app.mode(soon())
        app.form(soon())
        app.upload(tmp_path / "0", "a.txt", "text/plain", user="u1", ends=soon())
        run = app.run("workflow", asked(), soon())
        app.run_status(run.run_id, soon())
        app.stop("workflow", run.task_id, user="u1", ends=soon())
    assert {request.headers["x-gate"] for request in dify.requests} == {"fake-gate"}
    with calling(dify, served) as app, pytest.raises(InvalidCredentials, match="X-Gate"):
        app.mode(soon())


def test_a_key_that_is_unknown_or_switched_off_is_told_apart(dify: DifyServer) -> None:
    with App(Server.at(dify.url), "app-unknown-key") as app, pytest.raises(InvalidCredentials, match="dify_key"):
        app.mode(soon())
    with calling(dify, dify.add(Served("a", enabled=False))) as app, pytest.raises(Refused, match="dify_forbidden"):
        app.mode(soon())


def test_a_key_is_not_sent_after_a_redirect(dify: DifyServer) -> None:
    with calling(dify, dify.add(Served("a", fault="redirect", faults_at={"info": "redirect"}))) as app:
        with pytest.raises(InvalidInput, match=r"\[dify_redirect\].*HTTP 302"):
            app.mode(soon())
        with pytest.raises(InvalidInput, match="dify_redirect"):
            streamed(app, "workflow")
    assert [request.path for request in dify.requests] == ["/v1/info", "/v1/workflows/run"]


# Runs


@pytest.mark.parametrize("mode", MODES)
def test_a_run_is_streamed(dify: DifyServer, mode: str) -> None:
    served = dify.add(Served("a", mode))
    run = Run()
    with calling(dify, served) as app, app.stream(mode, asked(inputs={"x": "日"}), soon()) as events:
        said = "".join(map(run.take, events))
    assert (said, run.answer, run.status) == (served.answer, served.answer, "succeeded")
    assert (run.tokens, run.cost, run.currency) == (
        (12, Decimal("0.0000140"), "USD") if mode != "workflow" else (12, None, "")
    )
    outputs = {"workflow": {"text": served.answer}, "advanced-chat": {"answer": served.answer, "files": []}}
    assert run.outputs == outputs.get(mode, {})
    made = dify.runs[0]
    assert run.task_id == made.task_id
    assert run.conversation_id == made.conversation_id
    assert (run.run_id, run.app_id) == ((made.run_id, served.id) if mode in GRAPHS else ("", ""))
    assert (made.user, made.mode) == ("u1", "streaming")


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "agent-chat"])
def test_a_run_is_answered_at_once(dify: DifyServer, mode: str) -> None:
    served = dify.add(Served("a", mode))
    with calling(dify, served) as app:
        run = app.run(mode, asked(), soon())
    assert (run.answer, run.status, run.tokens) == (served.answer, "succeeded", 12)
    assert (run.task_id, run.conversation_id) == (dify.runs[0].task_id, dify.runs[0].conversation_id)
    assert run.run_id == (dify.runs[0].run_id if mode == "workflow" else "")
    assert run.cost == (None if mode == "workflow" else Decimal("0.0000140"))


@pytest.mark.parametrize("fault", ["cut", "cut_fin", "reset"])
def test_half_an_answer_is_none(dify: DifyServer, fault: str) -> None:
    served = dify.add(Served("a", "chat", fault=fault, answer="x" * 100_000))
    with calling(dify, served) as app, pytest.raises(Unavailable, match="no_answer"):
        app.run("chat", asked(), soon())


def test_an_agent_is_not_answered_at_once(dify: DifyServer) -> None:
    with calling(dify, dify.add(Served("a", "agent-chat"))) as app, pytest.raises(InvalidInput, match="blocking mode"):
        app.run("agent-chat", asked(), soon())


@pytest.mark.parametrize("status", ["failed", "partial-succeeded", "paused", "stopped"])
def test_a_workflow_that_did_not_succeed_is_answered_all_the_same(dify: DifyServer, status: str) -> None:
    with calling(dify, dify.add(Served("a", status=status))) as app:
        run = app.run("workflow", asked(), soon())
    assert run.status == status.replace("-", "_")
    assert (run.error.key if run.error else "") == ("dify_run_failed" if status == "failed" else "")


@pytest.mark.parametrize(
    ("mode", "error"),
    [("advanced-chat", "dify_run_failed"), ("chat", "dify_model_failed"), ("completion", "dify_model_failed")],
)
def test_any_other_app_that_failed_is_answered_with_400(dify: DifyServer, mode: str, error: str) -> None:
    with (
        calling(dify, dify.add(Served("a", mode, status="failed"))) as app,
        pytest.raises(Unavailable, match=rf"\[{error}\].*the model is not to be reached"),
    ):
        app.run(mode, asked(), soon())


@pytest.mark.parametrize(
    ("mode", "asked_as", "error"),
    [
        ("chat", "workflow", "dify_wrong_kind"),
        ("workflow", "chat", "dify_wrong_kind"),
        ("workflow", "completion", "dify_app_unavailable"),
    ],
)
def test_a_key_of_another_kind_of_app_is_refused(dify: DifyServer, mode: str, asked_as: str, error: str) -> None:
    with calling(dify, dify.add(Served("a", mode))) as app:
        with pytest.raises(Refused, match=rf"\[{error}\]"):
            streamed(app, asked_as)
        with pytest.raises(Refused, match=rf"\[{error}\]"):
            app.stop(asked_as, "t", user="u1", ends=soon())
    assert not dify.runs


def test_an_app_that_was_never_published_says_so(dify: DifyServer) -> None:
    for mode in MODES:
        with (
            calling(dify, dify.add(Served("a", mode, published=False))) as app,
            pytest.raises(Refused, match="dify_app_unavailable"),
        ):
            streamed(app, mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_run_is_stopped(dify: DifyServer, mode: str) -> None:
    served = dify.add(Served("a", mode, seconds=20, pieces=4000))
    run = Run()
    with calling(dify, served) as app, app.stream(mode, asked(), soon(20)) as events:
        for event in events:
            before = run.task_id
            run.take(event)
            if not before and run.task_id:
                app.stop(mode, run.task_id, user="u1", ends=soon())
            if run.complete:
                break
    assert dify.stopped == [("a", run.task_id)]
    assert dify.until(lambda: dify.runs[0].stopped)
    assert run.status == ("stopped" if mode in GRAPHS else "succeeded")


@pytest.mark.parametrize("mode", GRAPHS)
def test_the_status_of_a_run_is_told(dify: DifyServer, mode: str) -> None:
    served = dify.add(Served("a", mode))
    with calling(dify, served) as app:
        streamed(app, mode)
        run = app.run_status(dify.runs[0].run_id, soon())
        assert (run.status, run.tokens, run.run_id) == ("succeeded", 12, dify.runs[0].run_id)
        assert run.outputs
        served.status = "stopped"
        streamed(app, mode)
        assert app.run_status(dify.runs[1].run_id, soon()).status == "running"
        with pytest.raises(Refused, match="dify_not_found"):
            app.run_status("00000000-0000-0000-0000-000000000000", soon())


def test_a_conversation_goes_on_and_belongs_to_its_user(dify: DifyServer) -> None:
    with calling(dify, dify.add(Served("a", "chat"))) as app:
        first = app.run("chat", asked(), soon())
        again = app.run("chat", asked(conversation_id=first.conversation_id), soon())
        assert again.conversation_id == first.conversation_id
        with pytest.raises(Refused, match="dify_not_found"):
            app.run("chat", asked(conversation_id=first.conversation_id, user="u2"), soon())


# What is no answer


@pytest.mark.parametrize(
    ("fault", "kind", "key"),
    [
        ("html_200", Unavailable, "not_dify"),
        ("html_404", InvalidInput, "dify_wrong_address"),
        ("502", Unavailable, "dify_down"),
        ("504", Unavailable, "dify_down"),
        ("500", Unavailable, "dify_down"),
        ("json_200_error", InvalidInput, "dify_input"),
        ("endless", Unavailable, "dify_endless"),
        ("reset_before", Unavailable, "no_answer"),
    ],
)
def test_what_is_no_answer_is_told_apart_at_every_route(
    dify: DifyServer, monkeypatch: pytest.MonkeyPatch, fault: str, kind: type[OpskitError], key: str
) -> None:
    for module in (client, stream_events):
        monkeypatch.setattr(module, "MAX_EVENT", 200_000)
    with calling(dify, dify.add(Served("a", fault=fault, faults_at={"info": fault, "status": fault}))) as app:
        for call in (
            lambda: app.mode(soon()),
            lambda: app.run_status("00000000-0000-0000-0000-000000000000", soon()),
            lambda: app.run("workflow", asked(), soon()),
            lambda: streamed(app, "workflow"),
        ):
            with pytest.raises(kind, match=rf"\[{key}\]"):
                call()
    assert not dify.runs


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{", b"[" * 100_000, b"\xff"])
def test_what_is_no_json_object_is_not_dify(body: bytes) -> None:
    with answering(body) as app, pytest.raises(Unavailable, match=r"\[not_dify\].*HTTP 200, application/json"):
        app.mode(soon())


def test_a_run_that_is_not_streamed_is_not_dify() -> None:
    with answering(b'{"data": {"status": "succeeded"}}') as app, pytest.raises(Unavailable, match="not_dify"):
        streamed(app, "workflow")


def test_of_a_long_refusal_the_status_counts() -> None:
    down = pytest.raises(Unavailable, match=r"\[dify_down\].*HTTP 503: Service Unavailable")
    with answering(b"x" * 300_000, status=503, kind="text/html") as app, down:
        app.mode(soon())


def test_nobody_there_is_told_apart_from_no_answer(dify: DifyServer) -> None:
    with App(Server.at("http://127.0.0.1:1"), "app-fake-key") as app, pytest.raises(Unavailable, match="not_reached"):
        app.mode(soon())
    hanging = dify.add(Served("a", faults_at={"info": "hang"}))
    with calling(dify, hanging) as app, pytest.raises(Unavailable, match=r"\[no_answer\].*timeout"):
        app.mode(soon(0.2))


def test_a_deadline_serves_one_call_after_the_other_and_is_cancelled_from_outside(dify: DifyServer) -> None:
    served = dify.add(Served("a", seconds=20))
    began = time.monotonic()
    with calling(dify, served) as app, Deadline(soon(30)) as deadline:
        app.mode(deadline)
        app.form(deadline)
        cancelling = threading.Timer(0.2, deadline.cancel)
        cancelling.start()
        with (
            pytest.raises(Unavailable, match=r"\[no_answer\].*timeout"),
            app.stream("workflow", asked(), deadline) as it,
        ):
            for _ in it:
                pass
        cancelling.join()
    assert time.monotonic() - began < 5
    assert dify.until(lambda: dify.runs[0].disconnected)


@pytest.mark.parametrize("fault", ["silent", "hang"])
def test_silence_ends_a_stream_and_pings_do_not(dify: DifyServer, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    monkeypatch.setattr(client, "IDLE_S", 0.6)
    served = dify.add(Served("a", seconds=1.5, pieces=1))
    with calling(dify, served) as app:
        assert streamed(app, "workflow")[-1]["event"] == "workflow_finished"
        served.fault = fault
        with pytest.raises(Unavailable, match=r"\[no_answer\].*silence"):
            streamed(app, "workflow")
