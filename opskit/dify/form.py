"""The input form of an app, and what Dify would find wrong with inputs before a run begins.

In streaming mode such a fault is not told: the server sends a ping and is silent for five minutes (Dify 1.13.3, where
a worker runs the graph). So it is looked for before anything is sent.
Source: Dify 1.13.3, ``core/app/apps/base_app_generator.py``, ``_validate_inputs``; ``factories/file_factory``.
"""

import json
from collections.abc import Iterator, Mapping, Sized
from dataclasses import dataclass
from typing import Any

_TEXTS = frozenset({"text-input", "paragraph", "select", "external_data_tool"})
_FILES = frozenset({"file", "file-list"})


@dataclass(frozen=True, slots=True)
class Field:
    """A variable of the form: ``kind`` is text-input, paragraph, select, number, checkbox, file, file-list or other.

    ``max_length`` is in characters, or in files. A required one must be given even where it has a default. Files are
    taken of the ``types`` (none: of all), or by their ``endings`` as "custom" (None: by all), and in these ``ways``.
    """

    name: str
    kind: str
    required: bool
    max_length: int | None
    options: tuple[str, ...]
    types: tuple[str, ...] = ()
    endings: tuple[str, ...] | None = ()
    ways: tuple[str, ...] = ()

    @classmethod
    def of(cls, kind: str, told: Mapping[str, Any]) -> "Field":
        """A field as ``/v1/parameters`` describes it."""
        length = told.get("max_length")
        return cls(
            name=str(told.get("variable") or ""),
            kind=kind,
            required=bool(told.get("required")),
            max_length=length if isinstance(length, int) and length > 0 else None,
            options=tuple(map(str, told.get("options") or ())),
            types=tuple(map(str, told.get("allowed_file_types") or ())),
            endings=tuple(map(str, told.get("allowed_file_extensions") or ())),
            ways=tuple(map(str, told.get("allowed_file_upload_methods") or ())),
        )

    @property
    def takes_uploads(self) -> bool:
        """Whether files may be uploaded for it."""
        return not self.ways or "local_file" in self.ways

    def type_for(self, kind: str, ending: str, *, strict: bool) -> str:
        """What an uploaded file of ``kind`` must be called to be taken; empty: it is not.

        ``strict`` is the single file of a workflow, which may not be called anything else than Dify does.
        """
        if not self.takes_uploads:
            return ""
        if kind != "custom" and (not self.types or kind in self.types):
            return kind
        by_ending = self.endings is None or ending in self.endings
        return "custom" if by_ending and (kind == "custom" or not strict) else ""

    def problem(self, value: object) -> str:
        """What Dify would say about ``value``, in its words; empty when it takes it."""
        if value is None:
            return f"{self.name} is required in input form" if self.required else ""
        if value == "" and self.kind in _FILES and not self.required:
            return ""
        if problem := self._mismatch(value):
            return f"{self.name} in input form must be {problem}"
        return self._misplaced(value)

    def _mismatch(self, value: object) -> str:
        """What ``value`` must be, if it is not that."""
        wanted = ""
        match self.kind, value:
            case "number", _ if not _is_number(value):
                wanted = "a valid number"
            case "select", _ if value not in self.options:
                wanted = f"one of the following: {list(self.options)}"
            case "file", _ if not isinstance(value, dict):
                wanted = "a file"
            case "json_object", _ if value and not isinstance(value, dict):
                wanted = "a dict"
            case "file-list", list() if all(isinstance(file, dict) for file in value):
                wanted = f"less than {self.max_length} files" if self._is_beyond(value) else ""
            case "file-list", _:
                wanted = "a list of files"
            case (("text-input" | "paragraph"), str()) if self._is_beyond(value):
                wanted = f"less than {self.max_length} characters"
        return wanted

    def _misplaced(self, value: object) -> str:
        """What is wrong with objects that are of the right kind."""
        objects = [item for item in (value if isinstance(value, list) else [value]) if isinstance(item, dict)]
        if self.kind == "checkbox" and objects:
            return f"Invalid input type for ['{self.name}']"
        if self.kind in _FILES and not all(file.get("transfer_method") for file in objects):
            return "transfer_method is required in file mapping"
        return ""

    def _is_beyond(self, value: Sized) -> bool:
        return self.max_length is not None and len(value) > self.max_length


_UNTOLD = Field("files", "file-list", required=False, max_length=None, options=(), endings=None)


@dataclass(frozen=True, slots=True)
class Form:
    """The fields that an app asks for.

    ``beside`` is what a chat app takes beside them: one that takes no files drops them without a word.
    """

    fields: tuple[Field, ...] = ()
    beside: Field | None = _UNTOLD

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "Form":
        """The form in an answer of ``/v1/parameters``."""
        entries = parameters.get("user_input_form") or ()
        fields = tuple(Field.of(kind, told) for entry in entries for kind, told in entry.items())
        uploads = parameters.get("file_upload")
        if not isinstance(uploads, dict):
            return cls(fields)
        told = {**uploads, "variable": "files", "max_length": uploads.get("number_limits"), "required": False}
        return cls(fields, Field.of("file-list", told) if uploads.get("enabled") else None)

    def file_names(self) -> list[str]:
        """The names of the inputs that take files."""
        return [field.name for field in self.fields if field.kind in _FILES]

    def file_field(self, name: str) -> Field | None:
        """The input that takes files: ``name``, or the only one of its kind when no name is given."""
        files = [field for field in self.fields if field.kind in _FILES and name in {"", field.name}]
        return files[0] if len(files) == 1 else None

    def asked(self, query: str) -> dict[str, str]:
        """The query for an input of that name: workflows and completion apps often call their question so."""
        names = {field.name for field in self.fields if field.kind in _TEXTS}
        return {"query": query} if query and "query" in names else {}

    def fitted(self, inputs: Mapping[str, Any], spare: str = "") -> dict[str, Any]:
        """The inputs, with numbers and lists as the texts that text fields want, and ``spare`` in required ones."""
        texts = {field.name for field in self.fields if field.kind in _TEXTS}
        missing = {field.name for field in self.fields if field.required and field.name in texts} - inputs.keys()
        given = {name: _text(value) if name in texts else value for name, value in inputs.items()}
        return given | dict.fromkeys(missing, spare) if spare else given

    def problems(self, inputs: Mapping[str, Any]) -> Iterator[str]:
        """Everything that Dify would refuse, in its words."""
        for field in self.fields:
            if problem := field.problem(inputs.get(field.name)):
                yield problem


def _text(value: object) -> object:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _is_number(value: object) -> bool:
    """Whether Dify takes it: no exponents, and a blank text means none."""
    if not isinstance(value, str):
        return isinstance(value, int | float)
    try:
        return not value.strip() or (float if "." in value else int)(value) is not None
    except ValueError:
        return False
