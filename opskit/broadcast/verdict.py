"""The judge: an app that is given the numbered answers and returns the number of the best."""

import re
import time
from collections.abc import Sequence

from opskit import http
from opskit.broadcast.inquiry import Inquiry
from opskit.dify import Attempt, Outcome, Patience, Question, Target
from opskit.errors import OpskitError, Refused
from opskit.wording import Locale, say

_QUOTED = 20_000  # characters of an answer that the judge is shown
_LOOKED_S = 10.0
_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_SIGNS = {sign: number for signs in ("①②③④⑤⑥⑦⑧⑨⑩", "一二三四五六七八九十") for number, sign in enumerate(signs, 1)}
_A_NUMBER = rf"\d{{1,4}}|[{''.join(_SIGNS)}]"
_NUMBER = re.compile(r"\d+|[①-⑩]|(?<=第)[一二三四五六七八九十](?=[个位号条份])")
# A line that says nothing but a number, whatever it is called and decorated with.
_LINE = re.compile(
    r"\W*(?:(?:the )?(?:best )?(?:answer|number|winner|choice|no|nr|best)\b(?: is)?"
    r"|答案|回答|编号|最佳|最好的?|选择?|第)*[是为]?"
    rf"\W*(?P<number>{_A_NUMBER})\W*[个位号条份]?\W*",
    re.IGNORECASE,
)


def look_at(judge: Target, inquiry: Inquiry, ends: float) -> None:
    """Find out whether the judge can be asked, before anybody else is. Any OpskitError: it cannot."""
    with http.Deadline(min(time.monotonic() + _LOOKED_S, ends)) as deadline:
        judge.prepare(_question("?", [], inquiry, "en_US"), deadline)


def judged(
    judge: Target, answers: Sequence[str], inquiry: Inquiry, *, caller: str, ends: float, locale: Locale
) -> tuple[int | None, Outcome]:
    """The place of the best answer, from 0, and how the judge's run ended; no place where there is no verdict."""
    question = _question(inquiry.query, answers, inquiry, locale)
    patience = Patience(ends, min(inquiry.timeout_s, max(ends - time.monotonic(), 0)))
    outcome = Attempt(judge, question, patience, caller).alone()
    if outcome.ending != "answered":
        return None, outcome
    place = named(outcome.run.answer, len(answers))
    return (place - 1 if place else None), outcome


def unclear(outcome: Outcome) -> OpskitError:
    """Why there is no verdict."""
    return outcome.error or Refused("no_verdict", answer=outcome.run.answer)


def named(text: str, most: int) -> int | None:
    """The number of 1 to ``most`` that an answer names.

    What a model thought aloud does not count. A number alone on the last or the first line does, or else the only one
    in the whole text: "2 is better than 1" names two.
    """
    said = _THOUGHT.sub("", text).strip()
    lines = [line for line in said.splitlines() if line.strip()]
    for line in (lines[-1], lines[0]) if lines else ():
        if (found := _LINE.fullmatch(line)) and (number := _value(found["number"])) <= most and number:
            return number
    numbers = {_value(found[0]) for found in _NUMBER.finditer(said) if len(found[0]) <= len(str(most))}
    fitting = [number for number in numbers if 1 <= number <= most]
    return fitting[0] if len(fitting) == 1 else None


def _value(sign: str) -> int:
    return _SIGNS.get(sign) or int(sign)


def _question(asked: str, answers: Sequence[str], inquiry: Inquiry, locale: Locale) -> Question:
    """What the judge is asked: a chat app by its query, a workflow by any of these inputs, or its one required text."""
    numbered = "\n\n".join(f"[{number}]\n{text[:_QUOTED]}" for number, text in enumerate(answers, 1))
    prompt = say(locale, "broadcast.judge", question=asked, answers=numbered, count=len(answers))
    inputs = {"query": prompt, "question": asked, "answers": numbered, "count": len(answers)}
    return Question(prompt, inputs, user=inquiry.user, spare=prompt)
