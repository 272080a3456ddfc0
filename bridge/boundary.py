"""The one place where failures cross to Dify."""

import copy
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from bridge.parse import given
from opskit import redaction, wording
from opskit.errors import OpskitError, quoted
from opskit.model import Params

_ROOT = Path(__file__).resolve().parent.parent


class UnexpectedError(Exception):
    """A bug in OpsKit: it says where, and asks to be reported."""


class _Takes(Protocol):
    @property
    def takes(self) -> type[Params]: ...


@contextmanager
def boundary(tool: _Takes, parameters: Mapping[str, Any]) -> Iterator[None]:
    """Let errors pass in the user's language, without causes, and with every secret blanked.

    Dify shows the class name and the message of what is raised here, and takes the node's failure branch. What
    is not an OpskitError is a bug: it becomes an UnexpectedError that names the place.
    """
    try:
        yield
    except OpskitError as error:
        told: Exception = _told(tool.takes, parameters, error)
    except Exception as error:  # noqa: BLE001 - a bug must not leak a secret that its message may hold
        told = _bug(tool.takes, parameters, error)
    else:
        return
    raise told from None


def _told(takes: type[Params], parameters: Mapping[str, Any], error: OpskitError) -> Exception:
    """The error, ready to be shown and without its trace: an agent's model would read all of that.

    It is worded once here: a sentence that cannot be filled in would otherwise fail inside the SDK, which then never
    ends the call.
    """
    told = copy.copy(error)
    told.locale = _locale(takes, parameters, error.blanks)
    told.secrets = _secrets(takes, parameters)
    try:
        str(told)
    except (KeyError, ValueError, IndexError) as fault:
        return _bug(takes, parameters, fault)
    return told


def _bug(takes: type[Params], parameters: Mapping[str, Any], error: Exception) -> UnexpectedError:
    secrets = _secrets(takes, parameters)
    problem = quoted(error, secrets)
    locale = _locale(takes, parameters, {})
    text = wording.say(locale, "error.bug", kind=type(error).__name__, problem=problem, place=place(error))
    return UnexpectedError(redaction.blank(f"[bug] {text}", secrets))


def _locale(takes: type[Params], parameters: Mapping[str, Any], blanks: Mapping[str, object]) -> wording.Locale:
    """What the user chose, or the language of what they sent: texts, a file's name, what the error quotes.

    Secrets are not read for that.
    """
    values = given(takes, parameters)
    samples = [value for name, value in values.items() if name not in takes.secret_names()]
    names = [value.get("filename") for value in samples if isinstance(value, dict)]
    return wording.resolve(values.get("language"), *samples, *names, *blanks.values())


def _secrets(takes: type[Params], parameters: Mapping[str, Any]) -> list[str]:
    values = given(takes, parameters)
    names = takes.secret_names() & values.keys()
    return [secret for name in names for secret in takes.secrets_of(name, str(values[name]))]


def place(error: BaseException) -> str:
    """The innermost line of our own code: ``opskit/dingtalk/robot.py:41``."""
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(_ROOT)
    ]
    ours = [frame for frame in frames if "site-packages" not in frame.filename]
    return f"{Path(ours[-1].filename).relative_to(_ROOT)}:{ours[-1].lineno}"
