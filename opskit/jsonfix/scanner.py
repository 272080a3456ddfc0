"""The tolerant scanner: from a bracket to the end of its object or array, and what must change in between.

A loop over a stack of open brackets, without recursion. Each character is looked at a bounded number of times: what
is as it should be is taken by one pattern in one step, and no decision looks further than some hundred characters
ahead (``marks``). So time and memory grow in proportion to the text.
"""

import re

from opskit.jsonfix import marks, words
from opskit.jsonfix.brackets import Brackets
from opskit.jsonfix.edits import Edit, edit
from opskit.jsonfix.frames import ARRAY, ENDED, KINDS, OBJECT, Frame
from opskit.jsonfix.ground import Found, Unclear
from opskit.jsonfix.texts import Extent, Role, literal, quoted, written

_COLON = re.compile(rf"(?:{marks.GAP}(?:[{marks.COLONS}]|=>?))++")
_ASSIGNED = re.compile(rf"(?<=[{marks.COLONS}])=(?={marks.SPACE}(?:[\"{{\[]|{marks.BARE}))")
_GOES_ON = re.compile(rf"{marks.GAP}[{marks.COMMAS}]")
_BELIEVED = ("key_ended", "quote_mixed", "backslash_escaped", "end_guessed")
_PART = rf"\s{marks.COMMAS}{marks.COLONS}{marks.P_ENDS}{{\[\"'=\\"
_NAME_KEY = re.compile(rf"(?P<name>(?:\\u[0-9a-fA-F]{{4}}|[^{_PART}])+)[\"'`”]?(?=[ \t]*+(?:[{marks.COLONS}]|=))")
_LONG_KEY = re.compile(
    rf"(?P<name>[^\n\"'{marks.COMMAS}{marks.COLONS}{marks.P_ENDS}{{\[=]{{1,80}})[\"']?(?=[{marks.COLONS}])"
)
_LONE_KEY = re.compile(rf"(?P<name>[^{_PART}(（]+)")
_REMARK = re.compile(rf"(?:--[ \t][^\n]{{0,400}}+\n\s*|{marks.NAME}\s+)(?={marks.QUOTED_KEY})")
_CALL = re.compile(r"(?:new\s+)?[A-Za-z_][\w.]{0,60}(?=\()")
_PREFIX = re.compile(r"[fFrRuUbB]{1,2}(?=[\"'])|\\+(?=[\"'])")
_PATTERN = re.compile(rf"/(?:[^/\\\n]|\\.)+/[a-z]*(?=\s*(?:[{marks.COMMAS}{marks.P_ENDS}]|\Z))")
_QUOTED_KEY = re.compile(rf"{marks.QUOTED_KEY}{marks.GAP}[^\s{marks.COMMAS}{marks.P_ENDS}]")
_OTHER_KEY = re.compile(rf"[{marks.COMMAS}]\s*{marks.NAME}(?: {marks.NAME}){{1,3}}[{marks.COLONS}]\s")
_JOINED = re.compile(rf"{marks.GAP}\+{marks.GAP}(?={marks.QUOTE})")


class Scanner(Brackets):
    """Reads one object, array or tuple that begins at ``start``."""

    def found(self) -> Found:
        """Read to the end. Raises ``Unclear``.

        That a closing mark is missing, hidden or of another kind is only believed where all ends well: a text that was
        cut within another looks the same. So is that a bracket is one too many: the one before it may be missing.
        """
        try:
            found = self._found()
        except Unclear:
            if not self._has_believed():
                raise
        else:
            if self.strays and not found.complete and (other := self._without_strays()):
                return other
            if found.complete or not self._has_believed():
                return found
        again = Scanner(self.text, self.start, max_depth=self.max_depth, hidden=0)
        again.trusting = False
        return again._found()

    def _without_strays(self) -> Found | None:
        """What is found where no bracket is taken for one too many; None where that does not end well either."""
        again = Scanner(self.text, self.start, max_depth=self.max_depth, hidden=0)
        again.strays = -1
        try:
            found = again._found()
        except Unclear:
            return None
        return found if found.complete and not _GOES_ON.match(self.text, found.end) else None

    def _has_believed(self) -> bool:
        return any(edit.why in _BELIEVED for edit in self.edits)

    def _found(self) -> Found:
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

    def _member(self, frame: Frame, position: int) -> int:  # noqa: C901, PLR0911, PLR0912 - the innermost loop
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
                edits.append(edit((*found.span("key"), f'"{found["key"]}"', "key_quoted")))
            if found["open"]:
                return self._opening(found.end() - 1)
            if found["word"]:
                edits.append(Edit(*found.span("word"), words.WORDS[found["word"].lower()], "word_changed"))
            frame.count += 1
            if not found["comma"]:
                frame.after, frame.pending = True, None
                return found.end("value")
            good = frame.kept == len(edits)
            frame.mark, frame.kept, frame.pending = found.end("value"), len(edits), None
            frame.commas += 1
            position = found.end()
        if found := marks.GOOD_KEY.match(text, position):
            return self._value(found.end())
        if (end := self._doubled_members(frame, position)) > position:
            return end
        if self.trusting and (end := self._unended_keys(frame, position)) > position:
            return end
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

    def _doubled_members(self, frame: Frame, position: int) -> int:
        """Go over members whose quotation marks are doubled."""
        edits = self.edits
        while not frame.after and (found := marks.DOUBLED_MEMBER.match(self.text, position)):
            end = found.end("value")
            position = end + 2
            edits.append(Edit(*found.span("name"), f'"{found["key"]}"{found["colon"]}"', "quote_changed"))
            edits.append(Edit(end, position, '"', "quote_changed"))
            frame.count += 1
            if found["comma"]:
                frame.mark, frame.kept = position, len(edits)
                frame.commas += 1
                position = found.end()
            frame.after, frame.pending = not found["comma"], None
        return position

    def _unended_keys(self, frame: Frame, position: int) -> int:
        """Go over members whose keys lack their closing mark."""
        edits = self.edits
        while found := marks.UNENDED_MEMBER.match(self.text, position):
            end = found.end("key")
            edits.append(Edit(end, end, '"', "key_ended"))
            position = found.end()
            frame.mark, frame.kept, frame.pending = position - 1, len(edits), None
            frame.count += 1
            frame.commas += 1
        return position

    def _key(self, position: int) -> int:
        """Read a key; -1 where the text ends in it, and ``position`` where there is none."""
        text = self.text
        mark = text[position]
        if (prefix := _PREFIX.match(text, position)) and not _NAME_KEY.match(text, position):
            self._change(position, prefix.end(), "", "prefix_removed")
            position = prefix.end()
            mark = text[position]
        if mark in marks.QUOTES:
            extent = self._quoted(position, Role.KEY)
            if extent.why == "truncated":
                return -1
            self.edits.extend(written(text, extent))
            return extent.end
        if remark := _REMARK.match(text, position):
            self._change(position, remark.end(), "", "remark_removed")
            return self._key(remark.end())
        found = _NAME_KEY.match(text, position) or _LONG_KEY.match(text, position) or _LONE_KEY.match(text, position)
        if not found:
            self._change(position, position + 1, "", "mark_removed")
            return position
        name = found["name"].rstrip()
        end = found.end() if text[found.end() - 1] in marks.ANY_QUOTE else position + len(name)
        self._change(position, end, literal(name), "key_quoted")
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

    def _value(self, position: int) -> int:  # noqa: PLR0911 - one step of a state machine
        """Read a value, or open the bracket that it begins with."""
        text = self.text
        in_object = bool(self.stack) and self.stack[-1].kind == OBJECT
        if found := (marks.GOOD_VALUE if in_object else marks.GOOD_ITEM).match(text, position):
            return self._done(found.end())
        position = self._gap(position, value=True)
        mark = self.text[position : position + 1]
        while in_object and mark and (mark in marks.COLONS or _ASSIGNED.match(text, position)):
            run = _COLON.match(text, position)
            end = run.end() if run else position + 1
            self._change(position, end, "", "colon_removed")
            position = self._gap(end, value=True)
            mark = text[position : position + 1]
        if mark in KINDS:
            return self._opening(position)
        if mark in marks.QUOTES and mark:
            return self._text(position, self._role(in_object=in_object))
        if not mark or mark in ENDED or mark in marks.COMMAS:
            if not mark:
                return self._finish(whole=False)
            self._change(position, position, " null", "value_added")
            return self._done(position)
        if found := self._prefix(position) or _CALL.match(text, position):
            self._change(position, found.end(), "", "prefix_removed")
            return self._value(found.end())
        return self._word(position, in_object=in_object)

    def _prefix(self, position: int) -> re.Match[str] | None:
        """A prefix of a text; no word that only lacks its own opening mark."""
        found = _PREFIX.match(self.text, position)
        return None if found and marks.AFTER_VALUE.match(self.text, found.end() + 1) else found

    def _role(self, *, in_object: bool) -> Role:
        """What a text is here."""
        if len(self.stack) > 1:
            return Role.VALUE if in_object else Role.ITEM
        return Role.LAST_VALUE if in_object else Role.LAST_ITEM

    def _quoted(self, position: int, role: Role) -> Extent:
        """The text that is quoted at a place; how often its end may be guessed is counted."""
        extent = quoted(self.text, position, role, hidden=self.hidden > 0, trusting=self.trusting)
        self.hidden -= extent.why in ("backslash_escaped", "end_guessed")
        return extent

    def _text(self, position: int, role: Role) -> int:
        """Read a quoted text, and those that are added to it with plus signs."""
        text = self.text
        extent = self._quoted(position, role)
        edits = list(written(text, extent))
        while joined := _JOINED.match(text, extent.end):
            following = self._quoted(joined.end(), role)
            while edits and edits[-1].start >= extent.inner_end:
                edits.pop()
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
        if after == end:
            after = position + len(content)
        if text[after - 1] in marks.ANY_QUOTE and after > position + len(content):
            to, why = literal(content), "quote_added"
        else:
            to, why = words.word(content, cut=after == self.size)
            if why == "value_quoted" and _OTHER_KEY.search(content):
                why = "quote_added"  # which leaves doubt
        if why:
            self._change(position, after, to, why)
        if after == self.size:
            self.complete = False
        return self._done(after)
