"""How large the sheets of an old Excel workbook are, before a parser makes room for them, and a copy that is safe.

The copy holds the workbook's one stream in a container that runs in no circles; the sizes that the sheets claim to
have, for which a parser would reserve room, are blanked.

The container is a small FAT file system ([MS-CFB]), the workbook a list of records ([MS-XLS]): a two-byte number, a
two-byte length, and for cells the row and column first.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

from opskit.sales.opening.layout import not_a_table

_END = 0xFFFFFFFA  # and above: no sector
_HEADER_FATS = 109
_ENTRY = 128
_CELLS = {0x0006, 0x0201, 0x0203, 0x0204, 0x0205, 0x027E, 0x00BD, 0x00BE, 0x00D6, 0x00FD}
_RUNS = {0x00BD, 0x00BE}  # many cells of a row; the last column stands at the end
_BOF, _FILEPASS, _DATEMODE, _SHEET, _DIMENSIONS = 0x0809, 0x002F, 0x0022, 0x0010, 0x0200
_UNKNOWN = b"\xff\x0f"  # a record that readers pass over
_CHAIN_END, _FREE, _FAT_SECTOR = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


@dataclass(frozen=True, slots=True)
class Measure:
    """What a workbook holds: the cells of its largest sheet's rectangle, how many sheets, and its first day."""

    cells: int
    sheets: int
    epoch1904: bool


def repacked_old(path: Path, folder: Path) -> tuple[Path, Measure]:
    """A safe copy of an .xls file in ``folder``, and its measure.

    InvalidInput ``not_a_table``: broken, encrypted, or something else inside.
    """
    try:
        stream = bytearray(_workbook(path.read_bytes()))
        measure = _records(stream)
        target = folder / "workbook.xls"
        target.write_bytes(compound(bytes(stream)))
        return target, measure  # noqa: TRY300 what may fail stands above
    except (struct.error, IndexError, ValueError):
        raise not_a_table("XLS") from None


def _workbook(data: bytes) -> bytes:
    """The stream "Workbook" (or "Book") of a compound file."""
    (shift, small_shift) = struct.unpack_from("<HH", data, 30)
    if shift not in {9, 12} or small_shift != 6:  # noqa: PLR2004 the two sizes of sectors, and that of small ones
        raise ValueError
    size = 1 << shift
    first, _, limit, mini, _, more, _ = struct.unpack_from("<7I", data, 48)
    sectors = list(struct.unpack_from(f"<{_HEADER_FATS}I", data, 76))
    count = len(data) // size
    for _ in range(count):
        if more >= _END:
            break
        block = struct.unpack_from(f"<{size // 4}I", data, (more + 1) * size)
        sectors += block[:-1]
        more = block[-1]
    fat: list[int] = []
    for sector in sectors[:count]:
        if sector < _END:
            fat += struct.unpack_from(f"<{size // 4}I", data, (sector + 1) * size)
    directory = _chain(data, size, size, fat, first)
    root = _found(directory, {"Root Entry"})
    names = {"EncryptedPackage", "EncryptionInfo"}
    if any(_name(directory, place) in names for place in range(0, len(directory), _ENTRY)):
        raise not_a_table("XLSX").also("password")
    start, length = _found(directory, {"Workbook", "WORKBOOK", "Book", "BOOK"})
    if length >= limit:
        return _chain(data, size, size, fat, start)[:length]
    table = _chain(data, size, size, fat, mini)
    small = list(struct.unpack(f"<{len(table) // 4}I", table))
    return _chain(_chain(data, size, size, fat, root[0]), 64, 0, small, start)[:length]


def _chain(data: bytes, size: int, offset: int, fat: list[int], sector: int) -> bytes:
    """The sectors from ``sector`` on, joined; a chain longer than its table runs in circles."""
    parts: list[bytes] = []
    while sector < _END:
        if len(parts) > len(fat):
            raise ValueError
        parts.append(data[sector * size + offset : (sector + 1) * size + offset])
        sector = fat[sector]
    return b"".join(parts)


def _name(directory: bytes, place: int) -> str:
    length = min(max(directory[place + 64] - 2, 0), 62)
    return directory[place : place + length].decode("utf-16-le", "replace")


def _found(directory: bytes, names: set[str]) -> tuple[int, int]:
    for place in range(0, len(directory), _ENTRY):
        if _name(directory, place) in names:
            start, length = struct.unpack_from("<II", directory, place + 116)
            return start, length
    raise not_a_table("OLE")


def _records(stream: bytearray) -> Measure:
    """The measure; what claims a size is blanked."""
    place = most = rows = columns = sheets = 0
    epoch1904 = False
    while place + 4 <= len(stream):
        number, length = struct.unpack_from("<HH", stream, place)
        body = place + 4
        if number in _CELLS and length >= 4:  # noqa: PLR2004 row and column
            row, column = struct.unpack_from("<HH", stream, body)
            if number in _RUNS:
                (column,) = struct.unpack_from("<H", stream, body + length - 2)
            rows, columns = max(rows, row + 1), max(columns, column + 1)
        elif number == _BOF:
            most, rows, columns = max(most, rows * columns), 0, 0
            sheets += struct.unpack_from("<H", stream, body + 2)[0] == _SHEET
        elif number == _FILEPASS:
            raise not_a_table("XLS").also("password")
        elif number == _DIMENSIONS:
            stream[place : place + 2] = _UNKNOWN
        elif number == _DATEMODE:
            epoch1904 = stream[body] == 1
        place = body + length
    return Measure(max(most, rows * columns), sheets, epoch1904)


def compound(stream: bytes) -> bytes:
    """A compound file with nothing but the stream "Workbook", laid out one after the other in 512-byte sectors."""
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")  # shorter ones would be small streams
    count = len(stream) // 512
    fats = -(-(count + 1) // 127)  # each names 128 sectors, itself among them
    lists = max(-(-(fats - _HEADER_FATS) // 127), 0)
    data = fats + lists  # the FAT first, then where it lies beyond the header, the directory, the stream
    fat = [_FAT_SECTOR] * fats + [0xFFFFFFFC] * lists + [_CHAIN_END, *range(data + 2, data + count + 1), _CHAIN_END]
    fat += [_FREE] * (fats * 128 - len(fat))
    beyond = b""
    for place in range(lists):
        part = list(range(fats))[_HEADER_FATS + place * 127 : _HEADER_FATS + (place + 1) * 127]
        following = fats + place + 1 if place + 1 < lists else _CHAIN_END
        beyond += struct.pack("<128I", *part, *[_FREE] * (127 - len(part)), following)
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    more = fats if lists else _CHAIN_END
    header += struct.pack("<9I", 0, fats, data, 0, 4096, _CHAIN_END, 0, more, lists)
    header += struct.pack("<109I", *(place if place < fats else _FREE for place in range(_HEADER_FATS)))
    directory = _entry("Root Entry", 5, 1, _CHAIN_END, 0) + _entry("Workbook", 2, _FREE, data + 1, len(stream))
    return header + struct.pack(f"<{len(fat)}I", *fat) + beyond + directory.ljust(512, b"\0") + stream


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = (name + "\0").encode("utf-16-le")
    links = struct.pack("<HBBIII", len(text), kind, 1, _FREE, _FREE, child)
    return text.ljust(64, b"\0") + links + bytes(36) + struct.pack("<III", start, size, 0)
