"""An app that can be asked: by its key over the Service API, or by its id through the workspace."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from opskit import http
from opskit.dify.access import is_uuid
from opskit.dify.file_kinds import ending_of, kind_of, mime_type_of
from opskit.dify.form import Field, Form
from opskit.dify.run import Run
from opskit.dify.service import App
from opskit.errors import InvalidInput, Unavailable
from opskit.ports import Workspace

_CHATFLOW = "advanced-chat"

type Events = Iterator[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file that goes along with a question, fetched already; ``said`` is the type that Dify gave it."""

    path: Path
    filename: str
    mime_type: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What an app is asked. ``file_input`` names the input that takes the files.

    ``spare`` is for required texts of the form that ``inputs`` does not name: the one who asks cannot know them all.
    """

    query: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    files: Sequence[LocalFile] = ()
    file_input: str = ""
    conversation_id: str = ""
    user: str = "opskit"
    spare: str = ""


class Target(Protocol):
    """An app that can be asked one question. ``group`` names the host that answers."""

    name: str
    group: str
    identity: str
    stoppable: bool

    def prepare(self, question: Question, ends: http.Deadline) -> None:
        """Find out what can be known before anything runs. InvalidInput: inputs that the app would refuse."""
        ...

    def events(self, ends: http.Deadline) -> AbstractContextManager[Events]:
        """Start the run that was prepared."""
        ...

    def knows(self, run: Run) -> bool:
        """Whether the server can be asked about a run."""
        ...

    def status(self, run: Run, ends: float) -> Run:
        """What the server knows about a run."""
        ...

    def stop(self, run: Run, ends: float) -> None:
        """Ask the server to end a run."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class KeyTarget:
    """An app behind a key. ``identity`` is the key's own: the same app under two names is one target."""

    stoppable = True

    def __init__(self, name: str, connect: Callable[[], App], *, group: str, identity: str) -> None:
        self.name = name
        self.group = group
        self.identity = identity
        self._connect = connect
        self._app: App | None = None
        self._mode = ""
        self._user = ""
        self._request: dict[str, Any] = {}

    def prepare(self, question: Question, ends: http.Deadline) -> None:
        """Ask for the kind and the form of the app, check the inputs, and upload the files."""
        self._mode = self.app.mode(ends)
        form = self.app.form(ends)
        inputs = form.fitted({**form.asked(question.query), **question.inputs}, question.spare)
        request: dict[str, Any] = {"inputs": inputs, "user": question.user}
        is_chat = "chat" in self._mode
        place = self._place(form, question)
        is_beside = place is form.beside
        files: list[dict[str, str]] = [{"transfer_method": "local_file"} for _ in question.files]
        if place and not is_beside:  # filled in when nothing else is wrong
            inputs[place.name] = files if place.kind == "file-list" else files[0]
        problems = list(form.problems(inputs))
        if is_chat and not question.query:
            problems.append("query is required by a chat app")
        problems += _problems_of(question.conversation_id) if is_chat else []
        if place:
            problems += filter(None, [place.problem(files) if is_beside else ""])
            problems += filter(None, (self._misfit(file, place) for file in question.files))
        if problems:
            raise InvalidInput("inputs_refused", name=self.name, problems="; ".join(problems))
        if question.conversation_id and self._mode == _CHATFLOW:
            self._check_conversation(question, ends)
        if place:
            files = [self._uploaded(file, place, question.user, ends) for file in question.files]
            (request if is_beside else inputs)[place.name] = files if place.kind == "file-list" else files[0]
        if self._mode != "workflow":
            request["query"] = question.query
        if is_chat:
            request |= {"conversation_id": question.conversation_id, "auto_generate_name": False}
        self._request, self._user = request, question.user

    @property
    def app(self) -> App:
        """The connection, opened when it is first needed."""
        if self._app is None:
            self._app = self._connect()
        return self._app

    def events(self, ends: http.Deadline) -> AbstractContextManager[Events]:
        """Start the run that was prepared."""
        return self.app.stream(self._mode, self._request, ends)

    def knows(self, run: Run) -> bool:
        """Whether it is a run of a workflow or chatflow."""
        return bool(run.run_id)

    def status(self, run: Run, ends: float) -> Run:
        """What the server knows about a run."""
        return self.app.run_status(run.run_id, ends)

    def stop(self, run: Run, ends: float) -> None:
        """Ask the server to end a run."""
        self.app.stop(self._mode, run.task_id, user=self._user, ends=ends)

    def close(self) -> None:
        """Let go of the connections."""
        if self._app is not None:
            self._app.close()

    def _check_conversation(self, question: Question, ends: http.Deadline) -> None:
        """Refused: there is no such conversation. A chatflow that streams would not tell, only be silent."""
        with contextlib.suppress(Unavailable):  # no answer here says nothing about the run
            self.app.check_conversation(question.conversation_id, user=question.user, ends=ends)

    def _place(self, form: Form, question: Question) -> Field | None:
        """What takes the files, if there are any."""
        if question.files and (question.file_input or self._mode == "workflow" or not form.beside):
            return _place_of_files(form, question)
        return form.beside if question.files else None

    def _type_in(self, place: Field, file: LocalFile) -> str:
        strict = self._mode == "workflow" and place.kind == "file"
        return place.type_for(_kind(file), ending_of(file.filename), strict=strict)

    def _misfit(self, file: LocalFile, place: Field) -> str:
        """Why ``place`` does not take the file; empty when it does."""
        if self._type_in(place, file):
            return ""
        taken = ", ".join([*place.types, *(place.endings or ())]) or "no custom type"
        if not place.takes_uploads:
            taken = f"files by {', '.join(place.ways)} only"
        return f"{place.name} takes {taken}, and {file.filename} is of the type {_kind(file)}"

    def _uploaded(self, file: LocalFile, place: Field, user: str, ends: http.Deadline) -> dict[str, str]:
        mime_type = mime_type_of(file.filename, file.mime_type)
        number = self.app.upload(file.path, file.filename, mime_type, user=user, ends=ends)
        return {"type": self._type_in(place, file), "transfer_method": "local_file", "upload_file_id": number}


class IdTarget:
    """An app of the workspace, asked by a reverse invocation: of any kind but completion, and never to be stopped."""

    stoppable = False
    group = "workspace"

    def __init__(self, app_id: str, workspace: Workspace) -> None:
        self.name = self.identity = app_id
        self._workspace = workspace
        self._asked: dict[str, Any] = {}

    def prepare(self, question: Question, ends: http.Deadline) -> None:  # noqa: ARG002 - Dify ends it by itself
        """Give the files to the workspace; only then its form is asked for, its kind never can be."""
        if problems := _problems_of(question.conversation_id):  # Dify answers 500, as for a completion app
            raise InvalidInput("inputs_refused", name=self.name, problems=problems[0])
        inputs = dict(question.inputs)
        if question.files:
            place = _place_of_files(Form.of(self._workspace.parameters(self.name)), question)
            files = [self._uploaded(file) for file in question.files]
            inputs[place.name] = files if place.kind == "file-list" else files[0]
        self._asked = {"inputs": inputs, "query": question.query, "conversation_id": question.conversation_id}

    @contextlib.contextmanager
    def events(self, ends: http.Deadline) -> Iterator[Events]:  # noqa: ARG002 - nobody can end it
        """Start the run that was prepared."""
        yield self._workspace.events(self.name, **self._asked)

    def knows(self, run: Run) -> bool:  # noqa: ARG002 - whatever it is
        """False: there is no such question."""
        return False

    def status(self, run: Run, ends: float) -> Run:  # noqa: ARG002 - nothing is sent
        """What is known already."""
        return run

    def stop(self, run: Run, ends: float) -> None:
        """Nothing: there is no such request."""

    def close(self) -> None:
        """Nothing to let go of."""

    def _uploaded(self, file: LocalFile) -> Mapping[str, Any]:
        mime_type = mime_type_of(file.filename, file.mime_type)
        return self._workspace.upload(file.filename, file.path.read_bytes(), mime_type)


def _kind(file: LocalFile) -> str:
    return kind_of(file.filename, mime_type_of(file.filename, file.mime_type), file.said)


def _problems_of(conversation_id: str) -> list[str]:
    is_good = not conversation_id or is_uuid(conversation_id)
    return [] if is_good else ["conversation_id must be a valid UUID"]


def _place_of_files(form: Form, question: Question) -> Field:
    """The input that takes the files.

    InvalidInput: none is named and the form leaves open which, or several files for an input that takes one.
    """
    place = form.file_field(question.file_input)
    if place is None:
        raise InvalidInput("file_input_unknown", name=question.file_input, found=", ".join(form.file_names()) or "-")
    if place.kind == "file" and len(question.files) > 1:
        raise InvalidInput("one_file_only", name=place.name, count=len(question.files))
    return place
