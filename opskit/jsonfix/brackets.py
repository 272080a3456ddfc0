"""What opens and what closes, and which bracket is missing, wrong or one too many."""

import re

from opskit.jsonfix import marks
from opskit.jsonfix.edits import Edit, edit
from opskit.jsonfix.frames import ARRAY, CLOSING, ENDED, KINDS, OBJECT, TUPLE, Frame, Kind
from opskit.jsonfix.ground import Ground, Unclear

_LOOK = 400  # characters back
REOPENED = re.compile(rf"{marks.GAP}[{marks.COMMAS}]{marks.GAP}{marks.QUOTED_KEY}")
REOPENED_ARRAY = re.compile(rf"{marks.GAP}[{marks.COMMAS}]{marks.GAP}[^\s{marks.P_ARRAY}{marks.P_ENDS}]")
# An item behind a comma, which can be no key: a bracket, or a text or word that a comma or bracket follows.
_NO_KEY = re.compile(
    rf"{marks.GAP}[{marks.COMMAS}]{marks.GAP}(?P<next>[{{\[]|{marks.AN_ITEM}{marks.GAP}[{marks.COMMAS}{marks.P_ENDS}])"
)
_STRAY_ARRAY_END = re.compile(rf"{marks.GAP}}}(?={_NO_KEY.pattern})")
_ANOTHER = re.compile(rf"{marks.GAP}(?:[{marks.COMMAS}]{marks.GAP}[{{\[]|[{marks.P_ARRAY_END}])")


class Brackets(Ground):
    """Goes from member to member, and opens and closes brackets."""

    def _separator(self, frame: Frame, position: int) -> int:  # noqa: C901, PLR0911 - one step of a state machine
        """Go over what stands between a member and the next, or end."""
        frame.mark, frame.kept = position, len(self.edits)
        if found := marks.BETWEEN.match(self.text, position):
            if found["end"]:
                if found["last"]:
                    self._change(*found.span("last"), "", "comma_removed")
                return self._ending(frame, found.end() - 1)
            if found["lost"]:
                return self._lost_comma(frame, position, found.end())
            if not found["open"] or frame.kind != OBJECT:
                frame.after = False
                frame.commas += 1
                return self._opening(found.end() - 1) if found["open"] else found.end()
        place = self._gap(position)
        mark = self.text[place : place + 1]
        if not mark:
            return self._finish()
        if mark in ENDED:
            return self._ending(frame, place)
        if mark in (".", "…") and (end := self._more_commas(place)) > place:
            return end
        frame.after = False
        if mark in marks.COMMAS:
            return self._comma(frame, place)
        if mark in marks.COLONS and frame.kind != OBJECT:
            return self._comma(frame, place)
        return self._lost_comma(frame, position, place)

    def _lost_comma(self, frame: Frame, position: int, place: int) -> int:
        """Add the comma that is missing after a member; ``place`` is where the next begins."""
        frame.after = False
        self.edits.insert(frame.kept, edit((position, position, ",", "comma_added")))
        frame.pending = frame.kept, edit((position, position, "", "comma_removed"))
        frame.commas += 1
        return place

    def _comma(self, frame: Frame, place: int) -> int:
        """Go over commas; one stays where something follows."""
        number = len(self.edits)
        frame.commas += 1
        position = self._more_commas(place + 1)
        mark = self.text[position : position + 1]
        if not mark:
            return position  # the end of the text takes the comma with it
        if mark in ENDED:
            self.edits.insert(number, Edit(place, place + 1, "", "comma_removed"))
            frame.after = True
            return position
        frame.pending = number, Edit(place, place + 1, "", "comma_removed")
        if self.text[place] != ",":
            self.edits.insert(number, Edit(place, place + 1, ",", "comma_changed"))
        return position

    def _opening(self, place: int) -> int:
        """Something opens inside what is open."""
        if len(self.stack) >= self.max_depth:
            raise Unclear("too_deep", place)
        kind = KINDS[self.text[place]]
        self.open[kind] += 1
        frame = Frame(kind, place, len(self.edits))
        self.stack.append(frame)
        if kind == TUPLE:
            self._change(place, place + 1, "[", "tuple_changed")
        elif self.text[place] not in "{[":
            self._change(place, place + 1, "{" if kind == OBJECT else "[", "bracket_changed")
        frame.kept = len(self.edits)
        return place + 1

    def _ending(self, frame: Frame, place: int) -> int:
        """A bracket ends something: what is open, or what is open around it, or nothing."""
        mark = self.text[place]
        kind = ENDED[mark]
        if kind != frame.kind:
            if not self.open[kind] or self._one_more(self._is_stray(kind, place + 1)):
                end = place + 1
                while not self.open[kind] and self.text.startswith(mark, end):
                    end += 1
                self._change(place, end, "", "bracket_removed")
                return end
            while (frame := self.stack[-1]).kind != kind:
                self._settle(frame)
                self._change(place, place, CLOSING[frame.kind], "bracket_added")
                self._closed()
        if (kind == ARRAY or len(self.stack) == 1) and frame.count and self._one_more(self._is_early(kind, place)):
            self._change(place, place + 1, "", "bracket_removed")
            frame.after = True
            return place + 1
        self._settle(frame)
        closing = CLOSING[kind]
        if kind == TUPLE:
            self._change(place, place + 1, self._tuple_end(frame), "tuple_changed")
        elif mark != closing:
            self._change(place, place + 1, closing, "bracket_changed")
        if frame.lone > 1 and frame.lone == frame.count:
            self._set_end(frame, place)
        self._closed()
        return place + 1

    def _one_more(self, is_stray: bool) -> bool:  # noqa: FBT001 - what was found out just now
        """Count a bracket that is one too many."""
        is_stray = is_stray and self.strays >= 0
        self.strays += is_stray
        return is_stray

    def _is_stray(self, kind: Kind, after: int) -> bool:
        """Whether a bracket that does not end what is open is one too many, as what follows goes on inside."""
        if kind == OBJECT:
            doubled = self.text[max(0, after - _LOOK) : after - 1].rstrip()[-1:] == "}" and _ANOTHER.match(
                self.text, after
            )
            alone = self.open[kind] == 1 or doubled
            return bool(doubled or (alone and _NO_KEY.match(self.text, after)))
        return self.open[kind] == 1 and _STRAY_ARRAY_END.match(self.text, after) is not None

    def _is_early(self, kind: Kind, place: int) -> bool:
        """Whether a bracket is one too many, as what follows goes on inside."""
        text, after = self.text, place + 1
        if len(self.stack) > 1:
            if self.stack[-2].kind != OBJECT or not (on := _NO_KEY.match(text, after)):
                return False
            return text[place - 1] in "]}" or on["next"] in ("{", "[")
        if kind == OBJECT:
            return REOPENED.match(text, after) is not None
        again = text[place - 1] in "]}" and REOPENED_ARRAY.match(text, after)
        return bool(again) and text[-_LOOK:].rstrip().endswith("]")

    def _closed(self) -> None:
        frame = self.stack.pop()
        self.open[frame.kind] -= 1
        if self.stack:
            self._done(0)

    def _tuple_end(self, frame: Frame) -> str:
        """What closes a tuple: nothing where it is only a value in brackets."""
        if frame.count != 1 or frame.commas:
            return "]"
        self.edits[frame.opener] = self.edits[frame.opener]._replace(to="")
        return ""

    def _set_end(self, frame: Frame, place: int) -> None:
        """Keys without values are the items of a set, as Python writes it."""
        edits = [edit for edit in self.edits[frame.opener :] if edit.why != "value_added" and not self._is_plain(edit)]
        opened = Edit(frame.start, frame.start + 1, "[", "set_changed")
        self.edits[frame.opener :] = [opened, *edits, Edit(place, place + 1, "]", "set_changed")]

    def _is_plain(self, edit: Edit) -> bool:
        """Whether a key that was quoted is a number or word that JSON knows."""
        return edit.why == "key_quoted" and marks.BARE_WORD.fullmatch(self.text, edit.start, edit.end) is not None

    def _settle(self, frame: Frame) -> None:
        """Take a comma away that nothing has followed."""
        if frame.pending and not frame.after:
            number, edit = frame.pending
            replaced = (
                number < len(self.edits) and self.edits[number].start == edit.start and self.edits[number].to == ","
            )
            self.edits[number : number + replaced] = [edit]

    def _finish(self, *, whole: bool = True) -> int:
        """The text ends with brackets open; ``whole``: after a member. What has been begun goes."""
        self.complete = False
        frame = self.stack[-1]
        if not whole:
            del self.edits[frame.kept :]
            if self.text[frame.mark : self.size].strip(" \t\n\r"):
                self._change(frame.mark, self.size, "", "member_removed")
        if frame.lone and frame.lone == frame.count:
            raise Unclear("lone_key", frame.start)
        self._change(
            self.size, self.size, "".join(CLOSING[frame.kind] for frame in reversed(self.stack)), "brackets_closed"
        )
        self.stack.clear()
        return self.size

    def _unended(self, frame: Frame) -> int:
        """What is open lacks its end: what comes after its last comma belongs around it."""
        del self.edits[frame.kept :]
        self._change(frame.mark, frame.mark, CLOSING[frame.kind], "bracket_added")
        self._closed()
        return frame.mark
