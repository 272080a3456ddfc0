"""The judge: an app that is given the numbered answers and returns the number of the best."""

import re
import time
from collections.abc import Sequence

from opskit.broadcast.inquiry import Inquiry
from opskit.dify import Attempt, Outcome, Patience, Question, Target
from opskit.errors import OpskitError, Refused
from opskit.wording import Locale, say

_QUOTED = 20_000  # characters of an answer that the judge is shown
_NUMBER = re.compile(r"\d+")


def judged(
    judge: Target, answers: Sequence[str], inquiry: Inquiry, *, caller: str, ends: float, locale: Locale
) -> tuple[int | None, Outcome]:
    """The place of the best answer, from 0, and how the judge's run ended; no place where there is no verdict."""
    numbered = "\n\n".join(f"[{number}]\n{text[:_QUOTED]}" for number, text in enumerate(answers, 1))
    prompt = say(locale, "broadcast.judge", question=inquiry.query, answers=numbered, count=len(answers))
    inputs = {"query": prompt, "question": inquiry.query, "answers": numbered, "count": len(answers)}
    question = Question(prompt, inputs, user=inquiry.user, spare=prompt)
    patience = Patience(ends, min(inquiry.timeout_s, max(ends - time.monotonic(), 0)))
    outcome = Attempt(judge, question, patience, caller).alone()
    if outcome.ending != "answered":
        return None, outcome
    place = _number(outcome.run.answer, len(answers))
    return (place - 1, outcome) if place else (None, outcome)


def unclear(outcome: Outcome) -> OpskitError:
    """Why there is no verdict."""
    if isinstance(outcome.error, OpskitError):
        return outcome.error
    return Refused("no_verdict", answer=outcome.run.answer)


def _number(text: str, most: int) -> int | None:
    """The number that an answer names: the only one of 1 to ``most`` in it. "The best of the 3 is 2" names two."""
    found = {int(digits) for digits in _NUMBER.findall(text) if len(digits) <= len(str(most))}
    fitting = [number for number in found if 1 <= number <= most]
    return fitting[0] if len(fitting) == 1 else None
