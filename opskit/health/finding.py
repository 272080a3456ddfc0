"""What a look has shown, and its words."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from opskit.errors import OpskitError, RateLimited, quoted
from opskit.health.checkup import Kind, State
from opskit.wording import Locale, sentences

# What says nothing about the key: the check itself is at fault, or a person has to act.
_UNVERIFIED = frozenset({"calls_itself", "inputs_refused", "run_paused", "run_stopped"})
# What DingTalk says for certain. A keyword is not among these: the test message could hold none, and the robot may be
# well. Nor is silence: whether the keys are right is not known then.
_ROBOT_FAILED = frozenset(
    {
        "address_refused",
        "bad_base_url",
        "host_not_trusted",
        "malformed_secret",
        "robot_clock",
        "robot_group_gone",
        "robot_ip",
        "robot_not_in_group",
        "robot_quota",
        "robot_security",
        "robot_signature",
        "robot_stopped",
        "robot_token",
        "robot_unsigned",
        "robot_wrong_address",
        "unfilled_secret",
    }
)
_SENTENCE_ENDS = re.compile(r"\.(?= |$)|。")


@dataclass(frozen=True, slots=True)
class Finding:
    """A state and why: ``code`` is a sentence in ``health_says``, or the key of an error, with its ``blanks``."""

    state: State
    code: str
    blanks: Mapping[str, object] = field(default_factory=dict)

    def words(self, locale: Locale, secrets: Collection[str]) -> tuple[str, str]:
        """What was found, and what to do about it.

        An error says both, in its first sentence and in the others; where that is about parameters which a check does
        not have, ``health_says`` and ``health_fix`` say it instead.
        """
        texts = sentences(locale)
        problem, advice = _parted(texts["error"].get(self.code, ""))
        blanks = {name: quoted(value, secrets) for name, value in self.blanks.items()}
        said = texts["health_says"].get(self.code, problem).format_map(blanks)
        return said, texts["health_fix"].get(self.code, advice).format_map(blanks)


def judged(error: OpskitError, kind: Kind) -> Finding:
    """What an error shows of a thing of this kind: failed where it is certain, or where it does not work at all."""
    if kind == "robot":
        certain = error.key in _ROBOT_FAILED
    else:
        certain = error.key not in _UNVERIFIED and not isinstance(error, RateLimited)
    return Finding("failed" if certain else "unverified", error.key, error.blanks)


def _parted(text: str) -> tuple[str, str]:
    """A first sentence and the rest."""
    found = _SENTENCE_ENDS.search(text)
    place = found.end() if found else len(text)
    return text[:place], text[place:].strip()
