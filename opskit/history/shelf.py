"""Where snapshots are kept: Dify's storage for plugins, which has no list, no time to live and 100 MiB in all.

For each app there is an index (one value) and, for each snapshot, its text: packed with gzip and cut into pieces, for
a message to Dify carries some 2 MB. A crash may come between any two writes, so the index always knows of every
piece: a snapshot is announced there as pending before its pieces are written, and one that has to go is pending again
before they are deleted. What is pending is no snapshot; the next call clears it away.
"""

import gzip
import threading
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from opskit.errors import InvalidInput, Refused, Unavailable
from opskit.model import Item
from opskit.ports import Storage

PIECE = 900_000  # bytes; they travel in hexadecimal, twice as long
MOST = 400  # snapshots of an app: with the limits below their index stays within a piece
MAX_TAG, MAX_NOTE, MAX_NAME = 64, 200, 60  # characters
_LOCKS = tuple(threading.Lock() for _ in range(64))


class Kept(Item):
    """A snapshot that is kept. ``created`` in ISO 8601, UTC; ``tagged`` is whether somebody chose the tag.

    ``by`` is who made the version, ``source`` draft or published, ``version_id`` the id of a published version.
    """

    snapshot_id: str
    tag: str
    tagged: bool
    note: str
    sha256: str
    created: str
    by: str
    name: str
    mode: str
    source: str
    version_id: str
    dify_version: str
    pieces: int = 0
    pending: bool = False  # written always, for "true" must be no longer than "false": there may be no byte left


class _Index(Item):
    kept: tuple[Kept, ...] = ()


class Shelf:
    """The snapshots of one app. Unavailable from every method: Dify's storage does not answer."""

    def __init__(self, storage: Storage, app_id: str) -> None:
        self._storage = storage
        self._app_id = app_id
        self._lock = _LOCKS[hash(app_id) % len(_LOCKS)]

    def entries(self) -> list[Kept]:
        """What is kept, oldest first. Unavailable ``snapshot_index_lost``: the index is damaged."""
        with self._lock:
            return [entry for entry in self._read() if not entry.pending]

    def find(self, name: str) -> Kept:
        """The snapshot of this id or tag. InvalidInput ``no_snapshot``: the app has none."""
        kept = self.entries()
        for entry in [*(one for one in kept if one.snapshot_id == name), *(one for one in kept if one.tag == name)]:
            return entry
        raise InvalidInput("no_snapshot", name=name)

    def text(self, entry: Kept) -> str:
        """The text of a snapshot. Unavailable ``snapshot_lost``: its pieces are gone or damaged."""
        keys = [self._piece(entry, number) for number in range(entry.pieces)]
        packed = b"".join(self._storage.get(key) or b"" for key in keys)
        try:
            text = gzip.decompress(packed).decode()
        except (OSError, EOFError, UnicodeDecodeError, zlib.error):
            text = ""
        if not text:
            raise Unavailable("snapshot_lost", snapshot=entry.snapshot_id)
        return text

    def add(self, text: str, entry: Kept, *, keep: int) -> Kept:
        """Keep a text, and afterwards no more than the ``keep`` newest that nobody has tagged.

        InvalidInput ``tag_taken``: another snapshot of the app has this tag. Refused ``storage_full``,
        ``snapshots_many``: there is no room, and nothing that may give way.
        """
        packed = gzip.compress(text.encode(), mtime=0)
        parts = [packed[start : start + PIECE] for start in range(0, len(packed), PIECE)]
        with self._lock:
            kept = self._cleared()
            entry = entry.model_copy(update={"tag": _free_tag(kept, entry), "pieces": len(parts)})
            if len(kept) >= MOST:
                kept = self._with_room(kept, Refused("snapshots_many", limit=MOST))
            kept = self._placed(kept, entry, parts)
            surplus = [one.snapshot_id for one in [*kept, entry] if not one.tagged][:-keep]
            marked = [one.model_copy(update={"pending": one.snapshot_id in surplus}) for one in [*kept, entry]]
            self._write(marked)
            if surplus:
                self._swept(marked)
        return entry

    def tag(self, snapshot_id: str, tag: str) -> Kept:
        """Give a snapshot a tag of one's own. InvalidInput: ``tag_taken``, ``no_snapshot``."""
        with self._lock:
            kept = self._cleared()
            chosen = next((one for one in kept if one.snapshot_id == snapshot_id), None)
            if chosen is None:
                raise InvalidInput("no_snapshot", name=snapshot_id)
            named = chosen.model_copy(update={"tag": tag, "tagged": True})
            others = [one for one in kept if one is not chosen]
            _free_tag(others, named)
            self._write([named if one is chosen else one for one in kept])
            return named

    def _placed(self, kept: list[Kept], entry: Kept, parts: Sequence[bytes]) -> list[Kept]:
        """Write the pieces of a snapshot that stays pending; what is kept beside it.

        Dify tells a full storage from no other failure: only what fails twice makes the oldest one give way.
        """
        pending, failed = entry.model_copy(update={"pending": True}), False
        while True:
            try:
                self._write([*kept, pending])
                for number, part in enumerate(parts):
                    self._storage.set(self._piece(entry, number), part)
            except Unavailable as error:
                self._drop(pending)
                self._write(kept)  # where nothing can be written this says so, and nothing has given way
                if failed:
                    kept = self._with_room(kept, Refused("storage_full", problem=error.blanks.get("problem", "-")))
                failed = True
            else:
                return kept

    def _with_room(self, kept: Sequence[Kept], refusal: Refused) -> list[Kept]:
        """What is kept without the oldest that may give way; ``refusal`` where there is none."""
        oldest = next((one for one in kept if not one.tagged), None)
        if oldest is None:
            raise refusal from None
        self._write([one.model_copy(update={"pending": one is oldest}) for one in kept])
        self._drop(oldest)
        left = [one for one in kept if one is not oldest]
        self._write(left)
        return left

    def _swept(self, kept: Sequence[Kept]) -> None:
        """Clear away what is pending. Where that fails the next call does it: what was asked for has been done."""
        try:
            self._cleared(kept)
        except Unavailable:
            return

    def _cleared(self, index: Sequence[Kept] | None = None) -> list[Kept]:
        """What is kept, after everything that is pending has been cleared away."""
        index = self._read() if index is None else index
        kept = [entry for entry in index if not entry.pending]
        for entry in index:
            if entry.pending:
                self._drop(entry)
        if len(kept) < len(index):
            self._write(kept)
        return kept

    def _read(self) -> list[Kept]:
        value = self._storage.get(self._key("index"))
        try:
            return list(_Index.model_validate_json(value).kept) if value else []
        except ValidationError:
            raise Unavailable("snapshot_index_lost", app_id=self._app_id) from None

    def _write(self, kept: Sequence[Kept]) -> None:
        self._storage.set(self._key("index"), _Index(kept=tuple(kept)).model_dump_json().encode())

    def _drop(self, entry: Kept) -> None:
        """Delete the pieces. Deleting what is not there may fail as well, so it is looked for then."""
        for number in range(entry.pieces):
            key = self._piece(entry, number)
            try:
                self._storage.delete(key)
            except Unavailable:
                if self._storage.get(key) is not None:
                    raise

    def _piece(self, entry: Kept, number: int) -> str:
        return self._key(f"{entry.snapshot_id}.{number}")

    def _key(self, name: str) -> str:
        return f"history.{self._app_id}.{name}"


def facts(**told: Any) -> Kept:
    """An entry with its texts shortened to what the index has room for."""
    limits: Mapping[str, int] = {"note": MAX_NOTE, "name": MAX_NAME, "by": MAX_NAME}
    return Kept(**{name: value[: limits[name]] if name in limits else value for name, value in told.items()})


def _free_tag(kept: Sequence[Kept], entry: Kept) -> str:
    """The tag of an entry, with a number behind it if it was made of the time and another one has it already."""
    taken = {name for one in kept for name in (one.tag, one.snapshot_id)}
    if entry.tag not in taken:
        return entry.tag
    if entry.tagged:
        raise InvalidInput("tag_taken", tag=entry.tag)
    return next(tag for number in range(2, MOST + 3) if (tag := f"{entry.tag}-{number}") not in taken)
