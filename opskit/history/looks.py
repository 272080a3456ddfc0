r"""Which texts look like secrets, and which only seem to.

Three kinds of evidence: a form that nothing else has (``sk-…``, a JWT, a private key), a place in an address
(``?access_token=…``), and a name that says so (``api_key: …``). The weaker the evidence, the more the value itself has
to look drawn by lot. A template (``{{#env.X#}}``) is never a secret, nor is a placeholder (``YOUR_API_KEY``).
Forms: https://docs.github.com/en/code-security/secret-scanning/introduction/supported-secret-scanning-patterns,
https://open.dingtalk.com/document/robots/customize-robot-security-settings and the providers' own documents; Dify's
keys are ``app-`` or ``dataset-`` and 24 letters or digits (api/models/model.py, ApiToken.generate_api_key).
"""

import base64
import binascii
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

_ZONE = "\0"  # stands for what is no secret already: templates and our own marks
_TEMPLATE = re.compile(r"\{\{[^{}]{0,1000}\}\}|\$\{[^{}\n]{0,200}\}")
_MARKS = re.compile(r"\[__OPSKIT_REDACTED:[^\s\[\]]*__\]")
_DRAWN_CHARS = 16
_DRAWN_BITS = 2.8  # bits a character; English prose has some 4 over words, but then it has spaces and no digits
_NAMED_CHARS = 8

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# Words, perhaps with a number at the end: token_v2, user-password. Nothing that was drawn by lot.
_WORDY = re.compile(r"[A-Za-z]+(?:[._-][A-Za-z]+)*[._-]?v?\d{0,2}")
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)+")
_PLACEHOLDER = re.compile(
    r"(?:your|insert|enter)[-_ ].*|.*(?:_here|-here|placeholder|change_?me|redacted).*"
    r"|(?:\w+-)?[x*.…•-]{3,}|<.*>|\$\w+|%\w+%"
    r"|none|null|nil|undefined|true|false|string|str|int|integer|number|object|array|boolean|text|default|optional"
    r"|required|test|demo|example|sample|dummy|env|secret|token|password|passwd|api[-_]?key|bearer|basic|custom|no-auth"
    r"|secret-input|text-input|paragraph|select|variable|constant|mixed|hidden|header|body|query|\[__HIDDEN__\]|请.*|你的.*|您的.*",
    re.IGNORECASE | re.DOTALL,
)
# OPENAI_API_KEY: the name of a variable.
_ENV_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")

# Names of fields, headers and variables that hold a secret, split at humps and signs.
_SECRET_NAME = re.compile(
    r"(?:.*_)?(?:password|passwd|passwort|pwd|pass|passphrase|passcode|secret|token|api_?key|app_?key|access_?key|"
    r"(?:secret|private|auth|sign|signing|signature|encryption|encrypt|aes|client|license|service|subscription|master|"
    r"admin|webhook|robot|session)_?key|access_?key_?secret|authorization|cookie|credentials?|bearer|"
    r"session_?id|密码|密钥|口令|令牌)"
)
_NO_SECRET_NAME = re.compile(
    r"(?:.*_)?(?:next|page|continuation|sync|cursor|pad|eos|bos|sep|stop|cls|mask|unk|special|begin|end|start)_?token"
)
_PASSWORD_NAME = re.compile(r".*(?:pass|pwd|口令|密码)[a-z]*")
# Names that are secrets in an address or a header only, and only where the value looks like one.
_WEAK_NAMES = frozenset({"key", "ak", "sk", "sign", "sig", "signature", "auth", "code", "x_amz_signature"})

_FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("private_key", re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^\0]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)")),
    ("jwt", re.compile(r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*){1,3}")),
    ("app_key", re.compile(r"(?<![\w-])(?:app|dataset)-(?P<value>[A-Za-z0-9]{16,})(?![\w-])")),
    ("api_key", re.compile(r"(?<![A-Za-z0-9])sk-(?P<value>[\w-]{16,})")),
    (
        "api_key",
        re.compile(
            r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{22,}|glpat-[\w-]{20,}|xox[abeoprs]-[\w-]{10,}"
            r"|(?:AKIA|ASIA)[0-9A-Z]{16}|LTAI(?=\w*\d)[0-9A-Za-z]{12,}|AKID(?=\w*\d)[0-9A-Za-z]{32}|AIza[\w-]{35}"
            r"|SEC[0-9a-f]{64}|whsec_[A-Za-z0-9+/=]{16,}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|npm_[A-Za-z0-9]{36}"
            r"|(?:hf|gsk|r8|jina|nvapi|pplx|tvly|fc|xai)[_-](?=\w*\d)[A-Za-z0-9_-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}"
            r"|ya29\.[\w-]{20,})"
        ),
    ),
    (
        "webhook",
        re.compile(
            r"(?:hooks\.slack\.com/(?:services|workflows|triggers)/|/open-apis/bot/(?:v2/)?hook/"
            r"|discord(?:app)?\.com/api/webhooks/\d+/|api\.telegram\.org/bot|webhook\.office\.com/webhookb2/"
            r"|/triggers/webhook(?:-debug)?/)(?P<part>[\w:/@.-]{8,})"
        ),
    ),
    (
        "url_password",
        re.compile(r"(?i)\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'\0]{0,200}:(?P<part>[^\s/@\"'\0]{3,200})@"),
    ),
)
_PARAMETER = re.compile(r"[?&;](?P<name>[A-Za-z0-9_.-]{1,40})=(?P<part>[^\s&;#\"'`<>(){}\\\0]{6,})")
_SCHEME = re.compile(r"\b(?P<scheme>bearer|basic)\s+(?P<part>[\w.~+/=-]{8,})", re.IGNORECASE)
_WORD = r"password|passwd|pwd|passphrase|secret|token|key|authorization|credentials?|cookie|密码|密钥|口令|令牌"
_ASSIGNED = re.compile(
    rf"""(?P<word>{_WORD})\\*["'`]?\]?\s{{0,4}}(?::\s*(?:str|string)\s*=|=>|:=|[=:：])\s{{0,4}}"""
    r"""(?:\\*(?P<quote>["'`]))?(?:(?:bearer|token)\s+)?(?P<part>[^\s"'`\\,;&<>(){}\[\]\0]{6,})(?P<after>.?)""",
    re.IGNORECASE,
)
_NAME_BEFORE = re.compile(r"[\w-]{0,40}$")
_LINE = re.compile(r"(?m)^[ \t]*(?P<name>[^\s:=\0]{1,80})[ \t]*:[ \t]*(?P<part>[^\n]+)$")
# A text without any of these holds no secret that we could tell by its form.
_HINT = re.compile(
    r"-----BEGIN|eyJ|app-|dataset-|sk-|gh[pousr]_|github_pat|glpat|xox|AKI|ASIA|LTAI|AIza|SEC|whsec|[sr]k_|npm_|hf_|gsk_|r8_"
    r"|jina_|nvapi|pplx|tvly|fc-|xai-|SG\.|ya29|hook|telegram|://|[?&;]\w|bearer|basic|token|key|pass|pwd|secret|auth|cred|"
    r"cookie|密|令牌|口令",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a text that looks like a secret, and what kind of one."""

    start: int
    end: int
    kind: str


def found(text: str, *, name: str = "", lines: bool = False) -> list[Span]:
    """The secrets in a text, in order, none inside another.

    ``name`` is that of the field which the text is the value of. ``lines`` says that each line is a name and its
    value, as in the headers and parameters of an HTTP request.
    """
    named = names_secret(name) or _weak(name)
    if not text or not (named or lines or _HINT.search(text)):
        return []
    bare = _blanked(text)
    spans: list[Span] = []
    candidates = [_by_form(bare), _in_address(bare), _by_scheme(bare), _assigned(bare)]
    if lines:
        candidates.insert(0, _in_lines(bare))
    elif named:
        candidates.insert(0, _as_value(bare, name))
    for candidate in candidates:
        for span in candidate:
            if not any(span.start < other.end and other.start < span.end for other in spans):
                spans.append(span)
    return sorted(spans, key=lambda span: span.start)


def names_secret(name: str) -> bool:
    """Whether a field of that name holds a secret: ``X-Api-Key``, not ``max_tokens`` or ``token_url``."""
    plain = _plain(name)
    return bool(_SECRET_NAME.fullmatch(plain)) and not _NO_SECRET_NAME.fullmatch(plain)


def drawn(value: str) -> bool:
    """Whether the value looks drawn by lot: 16 characters or more without a space, digits among them."""
    if len(value) < _DRAWN_CHARS or not re.search(r"\d", value) or not re.search(r"[A-Za-z]", value):
        return False
    if _WORDY.fullmatch(value) or _is_placeholder(value) or not re.fullmatch(r"[\w+/=.~:%@!#$^*-]+", value, re.ASCII):
        return False
    counts = Counter(value)
    bits = -sum(count / len(value) * math.log2(count / len(value)) for count in counts.values())
    return bits >= _DRAWN_BITS


def _blanked(text: str) -> str:
    """The text with templates and marks as zero characters, so that places stay what they are."""
    blank = _MARKS.sub(lambda it: _ZONE * len(it[0]), text.replace(_ZONE, " "))
    return _TEMPLATE.sub(lambda it: _ZONE * len(it[0]), blank)


def _by_form(text: str) -> Iterator[Span]:
    for kind, pattern in _FORMS:
        for match in pattern.finditer(text):
            value = match.groupdict().get("value")
            if value is not None and (_is_placeholder(value) or not _mixed(value)):
                continue
            part = match.groupdict().get("part")
            if part is not None and _is_placeholder(part):
                continue
            yield Span(*(match.span("part") if part is not None else match.span()), kind)


def _in_address(text: str) -> Iterator[Span]:
    for match in _PARAMETER.finditer(text):
        name, value = match["name"], match["part"]
        strong = names_secret(name) and not _is_placeholder(value) and not _WORDY.fullmatch(value)
        if strong or (_weak(name) and (drawn(value) or _UUID.fullmatch(value))):
            yield Span(*match.span("part"), "url_token")


def _by_scheme(text: str) -> Iterator[Span]:
    for match in _SCHEME.finditer(text):
        value = match["part"]
        if match["scheme"].lower() == "basic":
            if _is_basic(value):
                yield Span(*match.span("part"), "basic_auth")
        elif not _is_placeholder(value) and not _WORDY.fullmatch(value) and _mixed(value):
            yield Span(*match.span("part"), "bearer")


def _assigned(text: str) -> Iterator[Span]:
    """``api_key = "…"``, ``"password": "…"``, ``密码：…`` in code, JSON and prose."""
    for match in _ASSIGNED.finditer(text):
        before = _NAME_BEFORE.search(text, max(0, match.start() - 40), match.start())
        name = f"{before[0] if before else ''}{match['word']}"
        value, after = match["part"].rstrip(".。，、"), match["after"]
        if not names_secret(name) or _is_placeholder(value):
            continue
        if match["quote"]:
            likely = after in (match["quote"], "\\") and _likely(value, name)
        else:
            likely = (
                (not after or after in " \t,;&)}]\"'`")
                and not _IDENTIFIER.fullmatch(value)
                and _likely_bare(value, name)
            )
        if likely:
            yield Span(match.start("part"), match.start("part") + len(value), _kind(name))


def _likely(value: str, name: str) -> bool:
    """Whether a quoted value under a telling name is a secret."""
    digits, letters = re.search(r"\d", value), re.search(r"[A-Za-z]", value)
    if _PASSWORD_NAME.fullmatch(_plain(name)):
        return bool(digits or re.search(r"[^\w]", value) or (re.search(r"[A-Z]", value) and re.search(r"[a-z]", value)))
    return len(value) >= _NAMED_CHARS and bool(digits and letters) and not _WORDY.fullmatch(value)


def _likely_bare(value: str, name: str) -> bool:
    """The same without quotes, where it may be an expression."""
    if _PASSWORD_NAME.fullmatch(_plain(name)) and len(value) >= _NAMED_CHARS and _mixed(value):
        return not _WORDY.fullmatch(value)
    return drawn(value)


def _in_lines(text: str) -> Iterator[Span]:
    for match in _LINE.finditer(text):
        if names_secret(match["name"]) or _weak(match["name"]):
            for span in _as_value(match["part"], match["name"]):
                yield Span(span.start + match.start("part"), span.end + match.start("part"), span.kind)


def _as_value(text: str, name: str) -> Iterator[Span]:
    """The value of a field: all of it, or what stands between templates; the scheme of a header stays."""
    pieces = list(re.finditer(rf"[^{_ZONE}]+", text))
    for piece in pieces:
        start = piece.start() + len(piece[0]) - len(piece[0].lstrip())
        value = piece[0].strip()
        scheme = re.match(r"(?:bearer|basic|token|apikey|api-key|key)(?:\s+|$)", value, re.IGNORECASE)
        if scheme:
            start, value = start + scheme.end(), value[scheme.end() :]
        whole = len(pieces) == 1 and piece[0] == text
        sure = names_secret(name) and whole and not _is_placeholder(value)
        if value and (sure or drawn(value) or (_weak(name) and _UUID.fullmatch(value))):
            yield Span(start, start + len(value), _kind(name))


def _is_basic(value: str) -> bool:
    """Whether it is base64 of ``user:password``."""
    try:
        return b":" in base64.b64decode(value, validate=True)
    except binascii.Error:
        return False


def _is_placeholder(value: str) -> bool:
    return bool(_PLACEHOLDER.fullmatch(value) or _ENV_NAME.fullmatch(value))


def _mixed(value: str) -> bool:
    """Letters of both cases, or letters and digits."""
    kinds = (r"[a-z]", r"[A-Z]", r"\d")
    return sum(bool(re.search(kind, value)) for kind in kinds) > 1


def _weak(name: str) -> bool:
    return _plain(name) in _WEAK_NAMES


def _kind(name: str) -> str:
    """A name for what was found: password, authorization, cookie, or token in general."""
    plain = _plain(name)
    if _PASSWORD_NAME.fullmatch(plain):
        return "password"
    return next((kind for kind in ("authorization", "cookie", "secret", "key") if kind in plain), "token")


def _plain(name: str) -> str:
    """``X-Api-Key`` and ``xApiKey`` as ``x_api_key``."""
    return re.sub(r"[\W_]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)).strip("_").lower()
