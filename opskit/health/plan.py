"""What is looked at: everything that can be known before anything is sent."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from pydantic import SecretStr

from opskit.dify import Finder, Question, Server
from opskit.dify.access import plain
from opskit.dify.console import Console
from opskit.dingtalk import Pace
from opskit.errors import InvalidCredentials, InvalidInput
from opskit.health import addresses, apps, robots
from opskit.health.checkup import Checkup
from opskit.health.entries import entries
from opskit.health.look import Subject
from opskit.ports import Workspace
from opskit.webhook.signatures import check_secret
from opskit.wording import Locale, say

MOST = 100
_ASKED = {"query": str, "inputs": dict}


@dataclass(frozen=True, slots=True)
class Plan:
    """The subjects, in the order of the parameters, the language, and what no finding may hold."""

    subjects: list[Subject]
    locale: Locale
    secrets: list[str] = field(repr=False)


def planned(checkup: Checkup, workspace: Workspace, pace: Pace) -> Plan:
    """Everything that is looked at.

    InvalidInput, InvalidCredentials: there is nothing, or too much, or something cannot be used.
    """
    keys = checkup.keys()
    lists = {
        "robots": _named(checkup.robots, "robots"),
        "webhooks": _named(checkup.webhooks, "webhooks", urls=True),
        "urls": _named(checkup.urls, "urls", urls=True),
    }
    locale = checkup.locale(*keys, *(name for found in lists.values() for name in found))
    subjects = [*_apps(checkup, workspace, locale), *_console(checkup, workspace)]
    subjects += [Subject(name, "robot", partial(robots.robot, text, pace)) for name, text in lists["robots"].items()]
    if lists["webhooks"]:
        secret = plain(checkup.webhook_secret)
        check_secret(secret)
        post = partial(addresses.receiver, secret=secret, private=checkup.allow_private)
        subjects += [Subject(name, "webhook", partial(post, url)) for name, url in lists["webhooks"].items()]
    get = partial(addresses.address, private=checkup.allow_private)
    subjects += [Subject(name, "url", partial(get, url)) for name, url in lists["urls"].items()]
    if not subjects:
        raise InvalidInput("nothing_to_check")
    if len(subjects) > MOST:
        raise InvalidInput("too_many_checks", count=len(subjects), limit=MOST)
    return Plan(subjects, locale, _secrets(checkup))


def _apps(checkup: Checkup, workspace: Workspace, locale: Locale) -> Iterator[Subject]:
    keys = checkup.keys()
    if not keys:
        return
    if checkup.deep:
        find = Finder(checkup, workspace)
        asked = _questions(checkup, say(locale, "health.prompt"))
        for name in keys:
            look = partial(apps.run_of_app, find(name, "app_keys"), asked(name), workspace.app_id)
            yield Subject(name, "app", look)
        return
    server = Server.at(checkup.base_url, checkup.headers(), by_model=workspace.by_model)
    for name, key in keys.items():
        yield Subject(name, "app", partial(apps.key_of_app, server, key))


def _console(checkup: Checkup, workspace: Workspace) -> Iterator[Subject]:
    if checkup.admin_key or checkup.workspace_id or checkup.email or checkup.password:
        console = Console.of(checkup, by_model=workspace.by_model)
        yield Subject("console", "console", partial(apps.console, console))


def _named(secret: SecretStr | None, parameter: str, *, urls: bool = False) -> Mapping[str, str]:
    """The values of a list by their names.

    InvalidInput: not ``name=value`` pairs, or a name with two values. InvalidCredentials: a variable that all of it is
    bound to does not exist.
    """
    if plain(secret).strip().startswith("{{#"):
        raise InvalidCredentials("unfilled_secret", name=parameter)
    found: dict[str, str] = {}
    for name, value in entries(plain(secret), urls=urls):
        if not name or not value:
            raise InvalidInput("bad_entries", parameter=parameter)
        if found.setdefault(name, value) != value:
            raise InvalidInput("two_entries", parameter=parameter, name=name)
    return found


def _questions(checkup: Checkup, default: str) -> Callable[[str], Question]:
    """What each app is asked: its own prompt, or the one that is for all, or ``default``.

    A prompt is a text, or an object of a text ``query`` and an object ``inputs``. InvalidInput: it is neither, or for
    an app that has no key.
    """
    prompts, keys = checkup.prompts, checkup.keys()
    for_all = prompts.keys() <= _ASKED.keys()
    unknown = [name for name in prompts if name not in keys]
    if unknown and not for_all:
        raise InvalidInput("unknown_prompt", name=unknown[0], found=", ".join(keys))

    def asked(name: str) -> Question:
        given = prompts if for_all else prompts.get(name, {})
        given = {"query": given} if isinstance(given, str) else given
        if not isinstance(given, dict) or not all(isinstance(given[key], _ASKED.get(key, ())) for key in given):
            raise InvalidInput("bad_prompts")
        query = given.get("query", default)
        return Question(query, given.get("inputs", {}), user=checkup.user, spare=query)

    return asked


def _secrets(checkup: Checkup) -> list[str]:
    given = {name: plain(getattr(checkup, name)) for name in checkup.secret_names()}
    return [one for name, value in given.items() for one in checkup.secrets_of(name, value) if one]
