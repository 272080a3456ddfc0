"""Snapshots in Dify's storage: what is promised survives a crash between any two writes."""

import contextlib
import hashlib
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from opskit.errors import InvalidInput, OpskitError, Refused, Unavailable
from opskit.history import shelf
from opskit.history.shelf import Kept, Shelf

APP = "0c0c0c0c-0000-4000-8000-00000000000c"


class Crash(Exception):
    """The process ends here."""


class Memory:
    """A storage in memory that counts its calls; one of them may fail, before or after it was done."""

    def __init__(self, *, most: int = 10**9, strict: bool = False) -> None:
        self.values: dict[str, bytes] = {}
        self.most = most
        self.strict = strict  # deleting what is not there fails
        self.calls = 0
        self.fault: Callable[[int], Exception | None] = lambda _: None
        self.done = False

    def get(self, key: str) -> bytes | None:
        return self._do(lambda: self.values.get(key))

    def set(self, key: str, value: bytes) -> None:
        self._do(lambda: self._set(key, value))

    def delete(self, key: str) -> None:
        self._do(lambda: self._delete(key))

    def _do[T](self, work: Callable[[], T]) -> T:
        self.calls += 1
        fault = self.fault(self.calls)
        if fault and not self.done:
            raise fault
        result = work()
        if fault:
            raise fault
        return result

    def _set(self, key: str, value: bytes) -> None:
        assert len(value) < 1_000_000
        others = sum(len(one) for name, one in self.values.items() if name != key)
        if others + len(value) > self.most:
            raise Unavailable("storage_unavailable", problem="allocated size is greater than max storage size")
        self.values[key] = value

    def _delete(self, key: str) -> None:
        if self.strict and key not in self.values:
            raise Unavailable("storage_unavailable", problem="no such key")
        self.values.pop(key, None)

    @property
    def pieces(self) -> frozenset[str]:
        return frozenset(key for key in self.values if not key.endswith(".index"))


_NUMBERS = itertools.count(1)


def entry(tag: str = "", **more: Any) -> Kept:
    number = next(_NUMBERS)
    told = {"snapshot_id": f"id{number}", "tag": tag or f"2026-03-01T00:00:{number}", "tagged": bool(tag), "note": ""}
    told |= {"sha256": f"{number}", "created": "2026-03-01T00:00:00Z", "by": "Owner", "name": "legal"}
    told |= {"mode": "workflow", "source": "draft", "version_id": "", "dify_version": "1.13.3"}
    return shelf.facts(**(told | more))


def noise(size: int, seed: int = 0) -> str:
    """Text that gzip halves and no more."""
    return hashlib.shake_128(b"%d" % seed).hexdigest(size // 2)


def refused(key: str, kind: type[OpskitError], work: Callable[[], object]) -> None:
    with pytest.raises(kind, match=rf"^\[{key}\]"):
        work()


def test_a_snapshot_is_found_by_id_and_tag_and_reads_as_it_was() -> None:
    storage = Memory()
    kept = Shelf(storage, APP)
    assert kept.entries() == []
    long = noise(2_500_000)
    one, two = kept.add("一\n", entry("v1"), keep=5), kept.add(long, entry(), keep=5)
    again = Shelf(storage, APP)
    assert again.entries() == [one, two]
    assert two.pieces > 1
    assert again.text(again.find("v1")) == "一\n"
    assert again.text(again.find(two.snapshot_id)) == again.text(again.find(two.tag)) == long
    assert Shelf(storage, "other").entries() == []
    refused("no_snapshot", InvalidInput, lambda: again.find("v2"))


def test_a_tag_belongs_to_one() -> None:
    kept = Shelf(Memory(), APP)
    one = kept.add("a", entry("v1"), keep=5)
    refused("tag_taken", InvalidInput, lambda: kept.add("b", entry("v1"), keep=5))
    refused("tag_taken", InvalidInput, lambda: kept.add("b", entry(one.snapshot_id), keep=5))
    times = [kept.add(text, entry().model_copy(update={"tag": "now"}), keep=5) for text in "bcd"]
    assert [one.tag for one in times] == ["now", "now-2", "now-3"]
    refused("tag_taken", InvalidInput, lambda: kept.tag(times[0].snapshot_id, "v1"))
    refused("no_snapshot", InvalidInput, lambda: kept.tag("gone", "v2"))
    named = kept.tag(times[0].snapshot_id, "v2")
    assert (named.tagged, kept.find("v2")) == (True, named)
    assert kept.text(named) == "b"


def test_the_newest_are_kept_and_the_tagged_ones_always() -> None:
    storage = Memory()
    kept = Shelf(storage, APP)
    for number in range(8):
        kept.add(f"{number}", entry("v1" if number == 1 else ""), keep=3)
    assert [kept.text(one) for one in kept.entries()] == ["1", "5", "6", "7"]
    assert len(storage.pieces) == 4


@pytest.mark.parametrize(
    "damage", [None, b"no gzip", b"\x1f\x8b", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xff\xff\xff"]
)
def test_damage_is_said(damage: bytes | None) -> None:
    storage = Memory()
    kept = Shelf(storage, APP)
    one = kept.add("text", entry(), keep=5)
    (piece,) = storage.pieces
    if damage is None:
        del storage.values[piece]
    else:
        storage.values[piece] = damage
    refused("snapshot_lost", Unavailable, lambda: kept.text(one))
    storage.values[f"history.{APP}.index"] = b"{"
    refused("snapshot_index_lost", Unavailable, kept.entries)


def test_a_full_storage_drops_the_oldest_that_nobody_named() -> None:
    storage = Memory(most=30_000, strict=True)
    kept = Shelf(storage, APP)
    texts = [noise(16_000, seed) for seed in range(10)]
    kept.add(texts[0], entry("first"), keep=50)
    for text in texts[1:]:
        kept.add(text, entry(), keep=50)
    found = [kept.text(one) for one in kept.entries()]
    assert found[0] == texts[0]
    assert found[-1] == texts[-1]
    assert 2 < len(found) < 10
    assert len(storage.pieces) == len(found)


def test_a_full_storage_without_anything_to_drop_refuses_and_loses_nothing() -> None:
    storage = Memory(most=30_000)
    kept = Shelf(storage, APP)
    one = kept.add(noise(50_000), entry("v1"), keep=50)
    before = dict(storage.values)
    refused("storage_full", Refused, lambda: kept.add(noise(16_000, 1), entry("v2"), keep=50))
    assert storage.values == before
    assert kept.entries() == [one]


def test_a_passing_failure_drops_nothing() -> None:
    storage = Memory()
    kept = Shelf(storage, APP)
    one = kept.add("a", entry(), keep=50)
    storage.calls, storage.fault = 0, lambda call: down() if call == 3 else None
    two = kept.add("b", entry(), keep=50)
    assert kept.entries() == [one, two]


def test_there_are_not_more_than_the_index_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "MOST", 3)
    kept = Shelf(Memory(), APP)
    for text in "abcd":
        kept.add(text, entry(), keep=50)
    assert [kept.text(one) for one in kept.entries()] == ["b", "c", "d"]
    named = [one.snapshot_id for one in kept.entries()]
    for snapshot_id in named:
        kept.tag(snapshot_id, f"tag of {snapshot_id}")
    refused("snapshots_many", Refused, lambda: kept.add("e", entry(), keep=50))


def test_the_largest_index_is_within_a_piece() -> None:
    words = {"note": "工" * 300, "name": "工" * 300, "by": "工" * 300, "tag": "工" * shelf.MAX_TAG}
    ids = {"version_id": APP, "sha256": "0" * 64, "snapshot_id": "0" * 12, "dify_version": "1.13.3"}
    largest = entry(**words, **ids).model_dump_json().encode()
    assert len(largest) * shelf.MOST < shelf.PIECE


def down() -> Exception:
    return Unavailable("storage_unavailable", problem="down")


def prepared(*, strict: bool = True) -> tuple[Memory, list[str]]:
    """A storage with a tagged snapshot and two others, and one left over from a crash."""
    storage = Memory(strict=strict)
    kept = Shelf(storage, APP)
    texts = [noise(size, size) for size in (1_000, 2_000, 3_000)]
    kept.add(texts[0], entry("v1"), keep=2)
    kept.add(texts[1], entry(), keep=2)
    kept.add(texts[2], entry(), keep=2)
    storage.calls, storage.fault = 0, lambda call: Crash() if call == 3 else None
    with pytest.raises(Crash):
        kept.add("left over", entry(), keep=2)
    storage.calls, storage.fault = 0, lambda _: None
    return storage, texts


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("crash", [False, True])
def test_nothing_is_lost_whichever_call_fails(crash: bool, done: bool) -> None:  # noqa: FBT001 - pytest's table
    """The n-th call fails once (or the process ends there), and every n was tried."""
    new = noise(2_200_000, 9)
    for nth in itertools.count(1):
        storage, texts = prepared()
        storage.done = done
        storage.fault = lambda call, nth=nth: (Crash() if crash else down()) if call == nth else None  # type: ignore[misc]
        problem: Exception | None = None
        try:
            Shelf(storage, APP).add(new, entry(), keep=2)
        except (Crash, Unavailable) as error:
            problem = error
        reached, storage.fault = storage.calls, lambda _: None
        after = Shelf(storage, APP)
        found = [after.text(one) for one in after.entries()]
        assert found in ([texts[0], texts[2], new], texts) if problem else found == [texts[0], texts[2], new], nth
        after.add("next", entry(), keep=2)
        assert [after.text(one) for one in after.entries()] == [texts[0], *(found[-1:]), "next"]
        assert len(storage.pieces) == sum(one.pieces for one in after.entries())
        if reached < nth:
            break
    assert nth > 10


def test_a_storage_that_stays_down_loses_nothing() -> None:
    for nth in range(1, 12):
        storage, texts = prepared(strict=False)
        storage.fault = lambda call, nth=nth: down() if call >= nth else None  # type: ignore[misc]
        with contextlib.suppress(Unavailable):
            Shelf(storage, APP).add("new", entry(), keep=2)
        storage.fault = lambda _: None
        after = Shelf(storage, APP)
        assert texts[0] in [after.text(one) for one in after.entries()]
        assert texts[2] in [after.text(one) for one in after.entries()]
