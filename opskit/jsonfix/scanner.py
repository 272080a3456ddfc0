"""The tolerant scanner: from a bracket to the end of its object or array, and what must change in between.

A loop over a stack of open brackets, without recursion. Each character is looked at a bounded number of times: what
is as it should be is taken by one pattern in one step, and no decision looks further than some hundred characters
ahead (``marks``). So time and memory grow in proportion to the text.
"""

import re
from typing import NamedTuple

from opskit.jsonfix import marks, words
from opskit.jsonfix.edits import Edit
from opskit.jsonfix.frames import ARRAY, CLOSING, ENDED, KINDS, OBJECT, TUPLE, Frame, Kind
from opskit.jsonfix.texts import Role, quoted, written

_LOOK = 400  # characters back
HIDDEN = 5  # ends of texts that a backslash hides: each costs a look at all that follows
_COMMENT = re.compile(r"//[^\n\r]*|/\*(?s:.)*?(?:\*/|\Z)|#[^\n\r]*|<!--(?s:.)*?(?:-->|\Z)")
_HASH = re.compile(r"#(?=[\s#!]|\w+ \w)")
_ELLIPSIS = re.compile(rf"{marks.ELLIPSIS}(?!\w)")
_COMMAS = re.compile(rf"[{marks.COMMAS}](?:{marks.SPACE}[{marks.COMMAS}])*+")
_COLON = re.compile(rf"(?:{marks.GAP}(?:[{marks.COLONS}]|=>?))++")
_PART = rf"\s{marks.COMMAS}{marks.COLONS}{marks.P_ENDS}{{\[\"'=\\"
_NAME_KEY = re.compile(rf"(?P<name>(?:\\u[0-9a-fA-F]{{4}}|[^{_PART}])+)[\"'`”]?(?=[ \t]*+(?:[{marks.COLONS}]|=))")
_LONG_KEY = re.compile(rf"(?P<name>[^\n\"'{marks.COMMAS}{marks.COLONS}{marks.P_ENDS}{{\[=]{{1,80}})[\"']?(?=[{marks.COLONS}])")
_LONE_KEY = re.compile(rf"(?P<name>[^{_PART}(（]+)")  # noqa: RUF001
_REMARK = re.compile(rf"{marks.NAME}\s+(?={marks.QUOTED_KEY})")
_CALL = re.compile(r"(?:new\s+)?[A-Za-z_][\w.]{0,60}(?=\()")
_PREFIX = re.compile(r"[fFrRuUbB]{1,2}(?=[\"'])|\\+(?=[\"'])")
_PATTERN = re.compile(rf"/(?:[^/\\\n]|\\.)+/[a-z]*(?=\s*(?:[{marks.COMMAS}{marks.P_ENDS}]|\Z))")
REOPENED = re.compile(rf"{marks.GAP}[{marks.COMMAS}]{marks.GAP}{marks.QUOTED_KEY}")
REOPENED_ARRAY = re.compile(rf"{marks.GAP}[{marks.COMMAS}]{marks.GAP}[^\s{marks.P_ARRAY}{marks.P_ENDS}]")
_NO_KEY = re.compile(rf"{marks.GAP}[{marks.COMMAS}]{marks.GAP}(?!{marks.KEY})[^\s{marks.P_ENDS}/]")
_QUOTED_KEY = re.compile(rf"{marks.QUOTED_KEY}{marks.GAP}[^\s{marks.COMMAS}{marks.P_ENDS}]")
_STRAY_ARRAY_END = re.compile(rf"{marks.GAP}}}{marks.GAP},(?!{marks.GAP}{marks.KEY})")
_ANOTHER = re.compile(rf"{marks.GAP}(?:[{marks.COMMAS}]{marks.GAP}[{{\[]|[{marks.P_ARRAY_END}])")
_JOINED = re.compile(rf"{marks.GAP}\+{marks.GAP}(?={marks.QUOTE})")
_VALUE_STARTS = re.compile(rf"[^{marks.COMMAS}{marks.P_ENDS}]")


class Unclear(Exception):
    """The text cannot be read in one way: ``args`` are the code of the problem and its offset."""


class Found(NamedTuple):
    """An object or array in a text: where it is, what makes JSON of it, and whether it came to its end."""

    start: int
    end: int
    edits: list[Edit]
    complete: bool


class Scanner:
    """Reads one object, array or tuple that begins at ``start``."""

    def __init__(self, text: str, start: int, *, max_depth: int, hidden: int = HIDDEN) -> None:
        self.text = text
        self.start, self.size = start, len(text)
        self.max_depth = max_depth
        self.edits: list[Edit] = []
        self.stack: list[Frame] = []
        self.open = dict.fromkeys(CLOSING, 0)
        self.complete = True
        self.hidden = hidden

    def found(self) -> Found:
        """Read to the end. Raises ``Unclear``."""
        position = self._value(self.start)
        while self.stack:
            frame = self.stack[-1]
            if frame.after:
                position = self._separator(frame, position)
            elif frame.kind == OBJECT:
                position = self._member(frame, position)
            else:
                position = self._item(frame, position)
        return Found(self.start, position, self.edits, self.complete)

    def _change(self, start: int, end: int, to: str, why: str) -> None:
        self.edits.append(Edit(start, end, to, why))

    def _gap(self, position: int, *, value: bool = False) -> int:
        """The next place that means something; comments go, and spaces that JSON does not know."""
        text = self.text
        mark = text[position : position + 1]
        if " " < mark < "\x7f" and mark not in "/#<`":
            return position
        while True:
            if found := marks.BLANK.match(text, position):
                position = found.end()
            mark = text[position : position + 1]
            if " " < mark < "\x7f" and mark not in "/#<`":
                return position
            if mark == "`" and text.startswith("```", position):  # a fence ends what began inside it
                self.size = position
                return len(text)
            if odd := marks.ODD.match(text, position):
                self._change(position, odd.end(), " ", "space_changed")
                position = odd.end()
            elif (found := _COMMENT.match(text, position)) and not (mark == "#" and value and not _HASH.match(text, position)):
                self._change(position, found.end(), "", "comment_removed")
                position = found.end()
            else:
                return position

    # Between members

    def _separator(self, frame: Frame, position: int) -> int:
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
        frame.after = False
        if mark in marks.COMMAS:
            return self._comma(frame, place)
        if mark in marks.COLONS and frame.kind != OBJECT:
            return self._comma(frame, place)
        return self._lost_comma(frame, position, place)

    def _lost_comma(self, frame: Frame, position: int, place: int) -> int:
        """Add the comma that is missing after a member; ``place`` is where the next begins."""
        frame.after = False
        self.edits.insert(frame.kept, Edit(position, position, ",", "comma_added"))
        frame.pending = frame.kept, Edit(position, position, "", "comma_removed")
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

    def _settle(self, frame: Frame) -> None:
        """Take a comma away that nothing has followed."""
        if frame.pending and not frame.after:
            number, edit = frame.pending
            replaced = number < len(self.edits) and self.edits[number].start == edit.start and self.edits[number].to == ","
            self.edits[number : number + replaced] = [edit]

    def _more_commas(self, position: int) -> int:
        """Go over commas and ellipses that nothing stands between."""
        while True:
            position = self._gap(position, value=True)
            mark = self.text[position : position + 1]
            if mark and mark in marks.COMMAS and (found := _COMMAS.match(self.text, position)):
                self._change(position, found.end(), "", "comma_removed")
                position = found.end()
            elif mark in (".", "…") and (dots := _ELLIPSIS.match(self.text, position)):
                self._change(position, dots.end(), "", "ellipsis_removed")
                position = dots.end()
            else:
                return position

    # Brackets

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
            if not self.open[kind] or self._is_stray(frame, kind, place + 1):
                end = place + 1
                while not self.open[kind] and self.text.startswith(mark, end):
                    end += 1
                self._change(place, end, "", "bracket_removed")
                return end
            while (frame := self.stack[-1]).kind != kind:
                self._settle(frame)
                self._change(place, place, CLOSING[frame.kind], "bracket_added")
                self._closed(frame)
        if frame.count and self._is_early(kind, place):
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
        self._closed(frame)
        return place + 1

    def _is_stray(self, frame: Frame, kind: Kind, after: int) -> bool:
        """Whether a bracket that does not end what is open is one too many, as what follows goes on inside."""
        if kind == OBJECT:
            doubled = self.text[max(0, after - _LOOK) : after - 1].rstrip()[-1:] == "}" and _ANOTHER.match(self.text, after)
            alone = self.open[kind] == 1 or doubled
            return bool(doubled or (alone and _NO_KEY.match(self.text, after)))
        return self.open[kind] == 1 and _STRAY_ARRAY_END.match(self.text, after) is not None

    def _is_early(self, kind: Kind, place: int) -> bool:
        """Whether a bracket is one too many, as what follows goes on inside."""
        text, after = self.text, place + 1
        if len(self.stack) > 1:
            if kind != ARRAY or self.stack[-2].kind != OBJECT or not (on := _NO_KEY.match(text, after)):
                return False
            return text[place - 1] in "]}" or on[0][-1] in "{["
        if kind == OBJECT:
            return REOPENED.match(text, after) is not None
        again = text[place - 1] in "]}" and REOPENED_ARRAY.match(text, after)
        return bool(again) and text[-_LOOK:].rstrip().endswith("]")

    def _closed(self, frame: Frame) -> None:
        self.stack.pop()
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
        edits = [edit for edit in self.edits[frame.opener :] if edit.why != "value_added"]
        opened = Edit(frame.start, frame.start + 1, "[", "set_changed")
        self.edits[frame.opener :] = [opened, *edits, Edit(place, place + 1, "]", "set_changed")]

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
        self._change(self.size, self.size, "".join(CLOSING[frame.kind] for frame in reversed(self.stack)), "bracket_added")
        self.stack.clear()
        return self.size

    # Members and items

    def _member(self, frame: Frame, position: int) -> int:
        """Read a key and its value; those with no or with common faults one after another."""
        text, edits = self.text, self.edits
        good = True
        while True:
            if good and (found := marks.MEMBERS.match(text, position)):
                position = found.end()
                frame.mark, frame.kept, frame.pending = position - 1, len(edits), None
                frame.count += 1
                frame.commas += 1
            found = marks.MEMBER.match(text, position)
            if not found:
                break
            if found["key"]:
                edits.append(Edit(*found.span("key"), f'"{found["key"]}"', "key_quoted"))
            if found["open"]:
                return self._opening(found.end() - 1)
            if found["word"]:
                edits.append(Edit(*found.span("word"), words.WORDS[found["word"].lower()], "word_changed"))
            if not found["comma"]:
                return self._done(found.end("value"))
            good = frame.kept == len(edits)
            frame.mark, frame.kept, frame.pending = found.end("value"), len(edits), None
            frame.count += 1
            frame.commas += 1
            position = found.end()
        if found := marks.GOOD_KEY.match(text, position):
            return self._value(found.end())
        began, position = position, self._more_commas(position)
        mark = self.text[position : position + 1]
        if not mark:
            return self._finish(whole=False)
        if mark in ENDED:
            return self._ending(frame, position)
        if position > began and marks.MEMBER.match(text, position):
            return position
        if mark in "{[｛［" and frame.count and len(self.stack) > 1 and self.stack[-2].kind == ARRAY:
            return self._unended(frame)
        if mark in KINDS or mark in marks.COLONS:
            end = position + 1
            while self.text.startswith(mark, end):
                end += 1
            self._change(position, end, "", "bracket_removed" if mark in KINDS else "colon_removed")
            return end
        key = self._key(position)
        if key < 0:
            return self._finish(whole=False)
        return self._colon(frame, key) if key > position else position + 1

    def _unended(self, frame: Frame) -> int:
        """What is open lacks its end: what comes after its last comma belongs around it."""
        del self.edits[frame.kept :]
        self._change(frame.mark, frame.mark, CLOSING[frame.kind], "bracket_added")
        self._closed(frame)
        return frame.mark

    def _key(self, position: int) -> int:
        """Read a key; -1 where the text ends in it, and ``position`` where there is none."""
        text = self.text
        mark = text[position]
        if (prefix := _PREFIX.match(text, position)) and not _NAME_KEY.match(text, position):
            self._change(position, prefix.end(), "", "prefix_removed")
            position = prefix.end()
            mark = text[position]
        if mark in marks.QUOTES:
            extent = quoted(text, position, Role.KEY, hidden=self.hidden > 0)
            self.hidden -= extent.why in ("backslash_escaped", "end_guessed")
            if extent.why == "truncated":
                return -1
            self.edits.extend(written(text, extent))
            return extent.end
        if remark := _REMARK.match(text, position):
            self._change(position, remark.end(), "", "remark_removed")
            return position  # and what follows is read as a key
        found = _NAME_KEY.match(text, position) or _LONG_KEY.match(text, position) or _LONE_KEY.match(text, position)
        if not found:
            self._change(position, position + 1, "", "mark_removed")
            return position
        name = found["name"].rstrip()
        end = found.end() if text[found.end() - 1] in marks.ANY_QUOTE else position + len(name)
        self._change(position, end, words.literal(name), "key_quoted")
        return end

    def _colon(self, frame: Frame, position: int) -> int:
        """Go over the colon after a key, and read the value."""
        number = len(self.edits)
        place = self._gap(position)
        text = self.text
        if found := _COLON.match(text, place):
            if found[0] != ":":
                self._change(place, found.end(), ":", "colon_changed")
            return self._value(found.end())
        mark = text[place : place + 1]
        if not mark:
            return self._finish(whole=False)
        if mark in marks.COMMAS or mark in marks.ENDS:
            if frame.count > frame.lone and len(self.stack) > 1 and self.stack[-2].kind == ARRAY:
                return self._unended(frame)
            if mark in marks.ARRAY_END:
                raise Unclear("lone_key", place)
            self.edits.insert(number, Edit(position, position, ": null", "value_added"))
            frame.lone += 1
            return self._done(position)
        self.edits.insert(number, Edit(position, position, ":", "colon_added"))
        return self._value(place)

    def _item(self, frame: Frame, position: int) -> int:
        """Read an item of an array."""
        text = self.text
        if found := marks.ITEMS.match(text, position):
            position = found.end()
            frame.mark, frame.kept, frame.pending = position - 1, len(self.edits), None
            frame.count += 1
            frame.commas += 1
        if (found := marks.ITEM.match(text, position)) and not found["open"]:
            if found["word"]:
                self._change(*found.span("word"), words.WORDS[found["word"].lower()], "word_changed")
            return self._done(found.end("value"))
        if found:
            return self._opening(found.end() - 1)
        if not frame.count:
            position = self._more_commas(position)
        position = self._gap(position, value=True)
        mark = self.text[position : position + 1]
        if not mark:
            return self._finish(whole=False)
        if mark in ENDED:
            return self._ending(frame, position)
        if frame.commas and self.stack[-2:-1] and self.stack[-2].kind == OBJECT and _QUOTED_KEY.match(text, position):
            return self._unended(frame)
        return self._value(position)

    # Values

    def _done(self, position: int) -> int:
        """A value has been read."""
        frame = self.stack[-1]
        frame.after, frame.pending = True, None
        frame.count += 1
        return position

    def _value(self, position: int) -> int:
        """Read a value, or open the bracket that it begins with."""
        text = self.text
        in_object = bool(self.stack) and self.stack[-1].kind == OBJECT
        if found := (marks.GOOD_VALUE if in_object else marks.GOOD_ITEM).match(text, position):
            return self._done(found.end())
        position = self._gap(position, value=True)
        mark = self.text[position : position + 1]
        if mark in KINDS:
            return self._opening(position)
        if mark in marks.QUOTES and mark:
            return self._text(position, self._role(in_object=in_object))
        while in_object and mark and mark in marks.COLONS:
            run = _COLON.match(text, position)
            end = run.end() if run else position + 1
            self._change(position, end, "", "colon_removed")
            position = self._gap(end, value=True)
            mark = text[position : position + 1]
        if not mark or mark in ENDED or mark in marks.COMMAS:
            if not mark:
                return self._finish(whole=False)
            self._change(position, position, " null", "value_added")
            return self._done(position)
        if found := _PREFIX.match(text, position) or _CALL.match(text, position):
            self._change(position, found.end(), "", "prefix_removed")
            return self._value(found.end())
        return self._word(position, in_object=in_object)

    def _role(self, *, in_object: bool) -> Role:
        """What a text is here."""
        if len(self.stack) > 1:
            return Role.VALUE if in_object else Role.ITEM
        return Role.LAST_VALUE if in_object else Role.LAST_ITEM

    def _text(self, position: int, role: Role) -> int:
        """Read a quoted text, and those that are added to it with plus signs."""
        text = self.text
        extent = quoted(text, position, role, hidden=self.hidden > 0)
        self.hidden -= extent.why in ("backslash_escaped", "end_guessed")
        edits = list(written(text, extent))
        while joined := _JOINED.match(text, extent.end):
            following = quoted(text, joined.end(), role, hidden=self.hidden > 0)
            edits = [edit for edit in edits if edit.start < extent.inner_end]
            edits.append(Edit(extent.inner_end, following.inner, "", "texts_joined"))
            edits += [edit for edit in written(text, following) if edit.start >= following.inner]
            extent = following
        self.edits += edits
        if extent.why == "truncated":
            self.complete = False
        return self._done(extent.end)

    def _word(self, position: int, *, in_object: bool) -> int:
        """Read a value that nothing quotes."""
        text = self.text
        if found := _PATTERN.match(text, position):
            end = after = found.end()
        elif in_object:
            end, after = words.value_end(text, position, depth=len(self.stack))
        else:
            end, after = words.item_end(text, position)
        content = text[position:end].rstrip()
        if not content:
            self._change(position, position + 1, "", "mark_removed")
            return position + 1 if not in_object else self._value(position + 1)
        if after == end:
            after = position + len(content)
        if text[after - 1] in marks.ANY_QUOTE and after > position + len(content):
            to, why = words.literal(content), "quote_added"
        else:
            to, why = words.word(content, cut=after == self.size)
        if why:
            self._change(position, after, to, why)
        if after == self.size:
            self.complete = False
        return self._done(after)
