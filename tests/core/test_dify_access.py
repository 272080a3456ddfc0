"""What a user fills in to reach apps: keys, headers, files; and which app a name means."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from opskit.dify import Access, Finder, fetched
from opskit.dify.targets import IdTarget, KeyTarget
from opskit.errors import InvalidCredentials, InvalidInput, Unavailable
from opskit.http import Reach
from opskit.model import FileReference

ONE, TWO = "app-fake-key-one", "app-fake-key-two"
APP_ID = "0a1b2c3d-0000-4000-8000-00000000000f"
CALLER = "11111111-2222-4333-8444-555555555555"


def access(**given: Any) -> Access:
    return Access.model_validate(given)


# Keys and headers


@pytest.mark.parametrize(
    "text",
    [
        f"legal={ONE}\nfinance={TWO}",
        f" legal = {ONE} ;; finance={TWO},\r\n",
        f"legal={ONE}，finance={TWO}；",
        f'{{"legal": "{ONE}", "finance": " {TWO} "}}',
        f"legal={ONE}, legal={ONE}, finance={TWO}",
    ],
)
def test_keys_are_read_however_they_are_written(text: str) -> None:
    given = access(app_keys=text)
    assert given.keys() == {"legal": ONE, "finance": TWO}
    assert set(Access.secrets_of("app_keys", text)) == {ONE, TWO}
    assert ONE not in repr(given)


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        f"={ONE}",
        "legal=",
        "legal=short",
        "legal=app fake key",
        "legal=密钥密钥密钥密钥",
        "{",
        "{1}",
        '{"a": {}}',
        "{" * 9**5,
    ],
)
def test_what_is_no_pair_is_a_matter_of_credentials_and_is_not_shown(text: str) -> None:
    with pytest.raises(InvalidCredentials, match=r"\[bad_app_keys\]") as refused:
        access(app_keys=text).keys()
    assert ONE not in str(refused.value)
    assert all(secret in text for secret in Access.secrets_of("app_keys", text))


def test_a_bare_key_and_broken_json_are_secrets_as_a_whole() -> None:
    assert Access.secrets_of("app_keys", ONE) == [ONE]
    assert Access.secrets_of("app_keys", f'{{"legal": {ONE}') == [f'{{"legal": {ONE}']
    assert Access.secrets_of("other", "x") == ["x"]


def test_a_name_has_one_key() -> None:
    with pytest.raises(InvalidInput, match=r"\[two_keys\].*legal"):
        access(app_keys=f"legal={ONE}\nlegal={TWO}").keys()
    assert access().keys() == {}
    assert access(app_keys=" \n").keys() == {}


def test_headers_are_read_however_they_are_written() -> None:
    for text in ("X-Gate: fake:gate\n\nX-Second :fake-2 ", '{"X-Gate": "fake:gate", "X-Second": "fake-2"}'):
        assert access(extra_headers=text).headers() == {"X-Gate": "fake:gate", "X-Second": "fake-2"}
        assert Access.secrets_of("extra_headers", text) == ["fake:gate", "fake-2"]
    assert access().headers() == {}
    assert Access.secrets_of("extra_headers", "fake-gate") == ["fake-gate"]


@pytest.mark.parametrize(
    "text", ["fake-gate", "X Gate: 1", ": 1", "X-Gate: 密", "X-Gate: a\x00b", "{", '{"a\\nb": "c"}']
)
def test_what_is_no_header_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"\[bad_header\]"):
        access(extra_headers=text).headers()


@pytest.mark.parametrize("name", ["Authorization", "HOST", "content-type", "Content-Length", "Connection"])
def test_a_header_of_the_client_is_its_own(name: str) -> None:
    with pytest.raises(InvalidInput, match=rf"\[own_header\].*{name}"):
        access(extra_headers=f"{name}: x").headers()


def test_a_user_fits_into_what_dify_takes() -> None:
    assert access(user="u" * 255).user == "u" * 255
    with pytest.raises(ValidationError):
        access(user="u" * 256)


# Which app is meant


def found(name: str, *, by_model: bool = False, **given: Any) -> Any:
    workspace: Any = SimpleNamespace(app_id=CALLER, by_model=by_model)
    return Finder(access(**given), workspace)(name, "targets")


def test_a_name_goes_to_its_key_and_an_id_to_the_workspace() -> None:
    by_key = found("legal", app_keys=f"legal={ONE}", base_url="http://dify.example:8080/v1")
    assert isinstance(by_key, KeyTarget)
    assert (by_key.name, by_key.group, by_key.stoppable) == ("legal", "http://dify.example:8080", True)
    by_id = found(APP_ID.upper())
    assert isinstance(by_id, IdTarget)
    assert (by_id.name, by_id.group, by_id.stoppable) == (APP_ID, "workspace", False)
    named = found(APP_ID, app_keys=f"{APP_ID}={ONE}")
    assert isinstance(named, KeyTarget)


def test_the_same_key_under_two_names_is_one_target() -> None:
    keys = f"a={ONE}\nb={ONE}\nc={TWO}"
    one, again, other = (found(name, app_keys=keys) for name in "abc")
    assert one.identity == again.identity != other.identity
    assert found("a", app_keys=keys, base_url="http://dify.example").identity != one.identity


def test_what_means_no_app_says_which_there_are() -> None:
    with pytest.raises(InvalidInput, match=r'\[unknown_target\] targets holds "legl".*\(legal, tax\)'):
        found("legl", app_keys=f"legal={ONE}\ntax={TWO}")
    with pytest.raises(InvalidInput, match=r"unknown_target.*\(-\)"):
        found(f"{APP_ID}0")


def test_the_calling_app_is_no_target() -> None:
    with pytest.raises(InvalidInput, match="calls_itself"):
        found(CALLER.upper())


def test_all_secrets_are_known_and_an_address_of_a_model_gets_none_of_them() -> None:
    workspace: Any = SimpleNamespace(app_id="", by_model=True)
    finder = Finder(
        access(app_keys=f"a={ONE}", extra_headers="X-Gate: fake-gate", base_url="http://h.example"), workspace
    )
    assert finder.secrets == [ONE, "fake-gate"]
    target: Any = finder("a", "targets")
    assert target.app._server.reach is Reach.PRIVATE  # noqa: SLF001 - nothing else shows it


# Files


class Files(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"a,b\n" if "sales" in self.path else b""
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def files() -> Any:
    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_files_are_on_disk_while_they_are_needed(files: str) -> None:
    given = [
        FileReference(url=f"{files}/sales", filename="../销售\\x.csv", mime_type="text/csv", type="document"),
        FileReference(url=f"{files}/sales", extension=".csv"),
    ]
    with fetched(given, time.monotonic() + 10) as there:
        assert [file.path.read_bytes() for file in there] == [b"a,b\n", b"a,b\n"]
        assert [(file.filename, file.mime_type, file.said) for file in there] == [
            (".._销售_x.csv", "text/csv", "document"),
            ("file.csv", "", ""),
        ]
    assert not any(Path(file.path).exists() for file in there)
    with fetched([], time.monotonic()) as none:
        assert none == []


def test_files_that_cannot_be_had_say_so(files: str) -> None:
    missing = FileReference(url=f"{files}/none", filename="a.csv")
    with (
        pytest.raises(InvalidInput, match=r"\[too_many_files\] 11 files"),
        fetched([missing] * 11, time.monotonic() + 10),
    ):
        pass
    with pytest.raises(Unavailable, match=r"file_unavailable.*404"), fetched([missing], time.monotonic() + 10):
        pass
    late = FileReference(url=f"{files}/sales")
    with pytest.raises(Unavailable, match=r"file_unavailable.*timeout"), fetched([late], time.monotonic() - 1):
        pass


def test_a_variable_that_does_not_exist_is_told_as_such() -> None:
    with pytest.raises(InvalidCredentials, match=r"\[unfilled_secret\] The secret app_keys"):
        access(app_keys="{{#env.KEYS#}}").keys()


def test_a_name_has_one_key_in_json_too() -> None:
    with pytest.raises(InvalidInput, match=r"\[two_keys\]"):
        access(app_keys=f'{{"a": "{ONE}", "a": "app-fake-another-key"}}').keys()


def test_headers_of_a_variable_that_does_not_exist_are_told_as_such() -> None:
    with pytest.raises(InvalidCredentials, match=r"\[unfilled_secret\] The secret extra_headers"):
        access(extra_headers="{{#env.HEADERS#}}").headers()
