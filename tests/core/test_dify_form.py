"""What Dify would find wrong with inputs, and what it calls a file: held to the Dify on this machine."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devtools.dify_server import App as Served
from devtools.dify_server import DifyServer
from devtools.dify_server.forms import detected
from opskit.dify import App, Server
from opskit.dify.file_kinds import ending_of, kind_of, mime_type_of
from opskit.dify.form import Field, Form
from opskit.errors import OpskitError

CHOICE = {"select": {"variable": "v", "options": ["a", "b"]}}
TEXT = {"text-input": {"variable": "v", "required": True, "max_length": 3}}
NUMBER = {"number": {"variable": "v", "required": True}}
FILE = {"file": {"variable": "v"}}
FILES = {"file-list": {"variable": "v", "max_length": 1}}


@pytest.fixture(scope="module")
def dify() -> Iterator[DifyServer]:
    with DifyServer() as server:
        yield server


def problems(field: dict[str, Any], inputs: dict[str, Any]) -> list[str]:
    form = Form.of({"user_input_form": [field]})
    return list(form.problems(form.fitted(inputs)))


@pytest.mark.parametrize(
    ("field", "inputs", "problem"),
    [
        (TEXT, {}, "v is required in input form"),
        (TEXT, {"v": None}, "v is required in input form"),
        ({"paragraph": {"variable": "v", "required": True, "default": "d"}}, {}, "v is required in input form"),
        ({"paragraph": {"variable": "v", "default": "d"}}, {}, ""),
        (TEXT, {"v": ""}, ""),
        (TEXT, {"v": "abc", "unknown": 1}, ""),
        (TEXT, {"v": "abcd"}, "v in input form must be less than 3 characters"),
        (TEXT, {"v": 1234}, "v in input form must be less than 3 characters"),
        (TEXT, {"v": 123}, ""),
        (NUMBER, {}, "v is required in input form"),
        (NUMBER, {"v": 5}, ""),
        (NUMBER, {"v": 5.5}, ""),
        (NUMBER, {"v": "5"}, ""),
        (NUMBER, {"v": "-5.5"}, ""),
        (NUMBER, {"v": " "}, ""),
        (NUMBER, {"v": "many"}, "v in input form must be a valid number"),
        (NUMBER, {"v": "nan"}, "v in input form must be a valid number"),
        (NUMBER, {"v": "1e5"}, "v in input form must be a valid number"),
        (CHOICE, {}, ""),
        (CHOICE, {"v": "a"}, ""),
        (CHOICE, {"v": ""}, "v in input form must be one of the following: ['a', 'b']"),
        (CHOICE, {"v": "c"}, "v in input form must be one of the following: ['a', 'b']"),
        (FILE, {}, ""),
        (FILE, {"v": ""}, ""),
        (FILE, {"v": "a.csv"}, "v in input form must be a file"),
        (FILES, {"v": ""}, ""),
        (FILES, {"v": []}, ""),
        (FILES, {"v": ["a.csv"]}, "v in input form must be a list of files"),
        (FILES, {"v": {}}, "v in input form must be a list of files"),
        (FILES, {"v": [{}, {}]}, "v in input form must be less than 1 files"),
        ({"file": {"variable": "v", "required": True}}, {"v": ""}, "v in input form must be a file"),
        (FILE, {"v": {"url": "x"}}, "transfer_method is required in file mapping"),
        (FILES, {"v": [{}]}, "transfer_method is required in file mapping"),
        ({"checkbox": {"variable": "v"}}, {"v": {"a": 1}}, "Invalid input type for ['v']"),
        ({"checkbox": {"variable": "v"}}, {"v": [1, {}]}, "Invalid input type for ['v']"),
        ({"checkbox": {"variable": "v"}}, {"v": ["a"]}, ""),
    ],
)
def test_what_dify_would_refuse_is_found_before_and_in_its_words(
    field: dict[str, Any], inputs: dict[str, Any], problem: str
) -> None:
    form = Form.of({"user_input_form": [field]})
    fitted = form.fitted(inputs)
    assert list(form.problems(fitted)) == ([problem] if problem else [])
    with DifyServer() as dify, App(Server.at(dify.url), dify.add(Served("a", form=[field])).key) as app:
        try:
            app.run("workflow", {"inputs": fitted, "user": "u1"}, time.monotonic() + 10)
            refusal = ""
        except OpskitError as error:
            refusal = str(error.blanks["message"])
    assert refusal == problem


@pytest.mark.parametrize(
    ("field", "inputs", "problem"),
    [
        ({"json_object": {"variable": "v"}}, {"v": "{}"}, "v in input form must be a dict"),
        ({"json_object": {"variable": "v"}}, {"v": {"a": 1}}, ""),
        ({"json_object": {"variable": "v"}}, {"v": ""}, ""),
        ({"checkbox": {"variable": "v", "required": True}}, {"v": False}, ""),
        ({"external_data_tool": {"variable": "v", "required": True}}, {"v": [1]}, ""),
        ({"number": {"variable": "v"}}, {"v": [1]}, "v in input form must be a valid number"),
        ({"number": {"variable": "v"}}, {"v": True}, ""),
        ({"from_the_future": {"variable": "v"}}, {"v": [1]}, ""),
        ({"text-input": {"variable": "v", "max_length": "48"}}, {"v": "x" * 100}, ""),
        ({"text-input": {"variable": "v", "max_length": 0}}, {"v": "x" * 100}, ""),
    ],
)
def test_inputs_of_other_kinds_are_judged_as_far_as_dify_does(
    field: dict[str, Any], inputs: dict[str, Any], problem: str
) -> None:
    assert problems(field, inputs) == ([problem] if problem else [])


def test_all_problems_are_told_at_once() -> None:
    form = Form.of({"user_input_form": [TEXT, {"number": {"variable": "n", "required": True}}]})
    assert len(list(form.problems({}))) == 2
    assert not list(Form.of({}).problems({"x": 1}))


def test_texts_get_texts() -> None:
    fields = [{"paragraph": {"variable": name}} for name in "abc"] + [{"number": {"variable": "n"}}]
    given = {"a": {"日": [1.5]}, "b": None, "c": "x", "n": 3, "z": [1]}
    assert Form.of({"user_input_form": fields}).fitted(given) == {
        "a": '{"日": [1.5]}',
        "b": None,
        "c": "x",
        "n": 3,
        "z": [1],
    }


def test_required_texts_that_nobody_named_get_what_is_to_spare() -> None:
    form = Form.of({"user_input_form": [TEXT, NUMBER | {}, {"paragraph": {"variable": "w", "required": True}}]})
    assert form.fitted({"w": "given"}, "spare") == {"w": "given", "v": "spare"}
    assert form.fitted({"w": "given"}) == {"w": "given"}


def test_the_input_for_files_is_the_named_one_or_the_only_one() -> None:
    one = Form.of({"user_input_form": [TEXT, {"file": {"variable": "doc"}}]})
    two = Form.of({"user_input_form": [{"file": {"variable": "doc"}}, {"file-list": {"variable": "more"}}]})
    assert [one.file_names(), two.file_names()] == [["doc"], ["doc", "more"]]
    found = [form.file_field(name) for form, name in ((one, ""), (one, "doc"), (two, "more"))]
    assert [field and field.name for field in found] == ["doc", "doc", "more"]
    assert [one.file_field("v"), two.file_field(""), Form().file_field("")] == [None, None, None]


@pytest.mark.parametrize(
    ("parameters", "takes"),
    [
        ({"file_upload": {"enabled": True, "number_limits": 3}}, True),
        ({"file_upload": {"enabled": False}}, False),
        ({"file_upload": {}}, False),
        ({"file_upload": {"image": {"enabled": True}}}, False),
        ({"file_upload": None}, True),
        ({}, True),
    ],
)
def test_a_chat_app_says_whether_it_takes_files_beside_its_form(
    parameters: dict[str, Any],
    takes: bool,  # noqa: FBT001 - what is expected
) -> None:
    assert bool(Form.of(parameters).beside) is takes


DOCUMENTS = {"allowed_file_types": ["document"]}
CSV_ONLY = {"allowed_file_types": ["custom"], "allowed_file_extensions": [".csv"]}


@pytest.mark.parametrize("where", [("workflow", "file"), ("workflow", "file-list"), ("advanced-chat", "file")], ids=str)
@pytest.mark.parametrize("filename", ["a.csv", "a.png", "a.bin"])
@pytest.mark.parametrize(
    "limits",
    [
        {},
        DOCUMENTS,
        CSV_ONLY,
        DOCUMENTS | {"allowed_file_extensions": [".bin"]},
        CSV_ONLY | {"allowed_file_extensions": ["csv"]},
        DOCUMENTS | {"allowed_file_upload_methods": ["remote_url"]},
        DOCUMENTS | {"allowed_file_upload_methods": ["remote_url", "local_file"]},
    ],
    ids=str,
)
def test_a_file_is_taken_as_what_dify_takes_it_for_or_not_at_all(
    dify: DifyServer, tmp_path: Path, limits: dict[str, Any], filename: str, where: tuple[str, str]
) -> None:
    mode, kind = where
    field = {"variable": "v", **limits}
    served = dify.add(Served("a", mode, form=[{kind: field}]))
    (tmp_path / filename).write_bytes(b"a,b\n")

    def takes(app: App, identity: str, said: str) -> bool:
        file = {"type": said, "transfer_method": "local_file", "upload_file_id": identity}
        inputs = {"v": [file] if kind == "file-list" else file}
        try:
            app.run(mode, {"inputs": inputs, "user": "u1", "query": "hi"}, time.monotonic() + 10)
        except OpskitError:
            return False
        return True

    seen = kind_of(filename, mime_type_of(filename))
    strict = mode == "workflow" and kind == "file"
    said = Field.of(kind, field).type_for(seen, ending_of(filename), strict=strict)
    with App(Server.at(dify.url), served.key) as app:
        path = tmp_path / filename
        identity = app.upload(path, filename, mime_type_of(filename), user="u1", ends=time.monotonic() + 10)
        assert takes(app, identity, said or seen) is bool(said)
        assert said or not takes(app, identity, "custom")


# Files


@pytest.mark.parametrize(
    ("filename", "mime_type", "kind"),
    [
        ("a.csv", "text/csv", "document"),
        ("A.CSV", "application/octet-stream", "document"),
        ("a.csv", "image/png", "document"),
        ("a.b.png", "", "image"),
        ("a.mp3", "", "audio"),
        ("a.webm", "", "video"),
        ("a.json", "application/json", "custom"),
        ("a.dat", "", "custom"),
        ("README", "text/plain", "document"),
        ("README", "", "custom"),
        ("csv", "", "custom"),
        ("销售.xlsx", "", "document"),
    ],
)
def test_a_file_is_called_what_dify_calls_it(filename: str, mime_type: str, kind: str) -> None:
    assert kind_of(filename, mime_type) == kind
    assert detected(filename, mime_type) == kind


@pytest.mark.parametrize(
    ("filename", "mime_type", "kind"),
    [
        ("a.log", "text/plain", "document"),
        ("scan", "application/pdf", "document"),
        ("photo.heic", "image/heic", "image"),
        ("talk.opus", "audio/ogg", "audio"),
        ("film.mkv", "video/x-matroska", "video"),
    ],
)
def test_the_media_type_tells_where_the_ending_does_not(filename: str, mime_type: str, kind: str) -> None:
    """Seen in Dify's file_factory only: the stand-in knows it of files without an ending."""
    assert kind_of(filename, mime_type) == kind


def test_an_ending_that_depends_on_the_installation_is_what_the_calling_dify_said() -> None:
    assert kind_of("a.pptx", "", "document") == "document"
    assert kind_of("a.pptx", "", "custom") == "custom"
    assert kind_of("a.pptx", "") == "custom"
    assert kind_of("a.csv", "", "custom") == "document"


def test_a_file_always_has_a_media_type() -> None:
    assert mime_type_of("a.csv", "text/x-own") == "text/x-own"
    assert mime_type_of("a.html") == "text/html"
    assert mime_type_of("a") == "application/octet-stream"
