"""Take secrets out of text: those that this process holds, whatever they look like, and those that look like one.

It errs towards hiding: a transaction's hash looks like a private key, so it is hidden too. The last rules of RULES
know no names; they catch what nobody thought of.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

HIDDEN = "***"
# Shorter ones would blot out ordinary words; such a password protects nothing anyway.
SHORTEST = 8
PHRASE_WORDS = 12
SHORTEST_PHRASE = PHRASE_WORDS * 4 - 1

# Looked for in lower-cased text, and first letters apart: both are what lets the engine skip ahead.
_NAMES = (
    r"p(?:ass(?:w(?:or)?d|phrase)|wd|riv(?:ate)?[_-]?key)|token|listen[_-]?key|mnemonic|recovery[_-]?phrase"
    r"|s(?:ecret|ign(?:ature|ing[_-]?key|(?<![a-z]sign)(?![a-z]))|eed[_-]?phrase|ession[_-]?(?:id|key))"
    r"|a(?:pi[_-]?key|ccess[_-]?key|uthorization)|c(?:redential|srf|ookie)|b(?:asic[_-]?auth|api-sign)"
)
_VALUE = (
    r"""(?:b?"(?:[^"\\]|\\.)*+"|b?'(?:[^'\\]|\\.)*+'|\\{1,4}+"(?:(?!\\+").)*+\\+"|"""
    r"""(?:(?:bearer|basic|token|digest)\s{1,3})?[^\s,;&)}\]]++)"""
)
# name=value, "name": "value", ('name', 'value'), name: Bearer value; also inside a text that is quoted itself.
_NAMED = re.compile(
    rf"""(?:{_NAMES})[a-z0-9_-]{{0,20}}+(?:\\{{0,4}}["']?\s{{0,3}}(?:=>|[:=])|\\{{0,4}}["']\s{{0,3}},)\s{{0,3}}({_VALUE})"""
)
_NAMED_HINTS = ("secret", "pass", "pwd", "token", "key", "phrase", "mnemonic", "auth", "sign", "credential", "csrf",
                "cookie", "session")  # fmt: skip
# Addresses that are secrets as a whole: where alerts go, as Apprise writes them.
_CHANNELS = frozenset({
    "tgram", "discord", "slack", "mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms", "ntfy", "ntfys",
    "gotify", "gotifys", "matrix", "matrixs", "pover", "pushover", "signal", "signals", "twilio", "ses", "sns",
    "pagerduty", "opsgenie", "rocket", "rockets", "mmost", "mmosts", "msteams", "workflow", "workflows", "webhook",
    "webhooks",
})  # fmt: skip
_URL = re.compile(r"""(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{1,20}+)://([^\s'"<>]++)""")
_WEBHOOK = re.compile(r"(/api/(?:v\d+/)?webhooks/\d+/|/services/T\w+/B\w+/)[\w-]+")
_BOT = re.compile(r"(?<![A-Za-z0-9])(bot)?\d{6,12}:[A-Za-z0-9_-]{30,}")
_OURS = re.compile(r"(mdat_[0-9A-Za-z]+_)[\w-]+")
_SCHEME = re.compile(r"(Bearer|Basic|bearer|basic)\s+[A-Za-z0-9._~+/=-]{16,}")
_JWT = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*")
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_LONG = re.compile(r"(?<![\w-])(?=[A-Za-z_-]*\d)[A-Za-z0-9][A-Za-z0-9_-]{59,}+(?![\w-])")
_LONG_BASE64 = re.compile(r"(?<![\w+/])(?=[A-Za-z+/]*\d)(?=[a-z0-9+/]*[A-Z])[A-Za-z0-9+/]{80,}+={0,2}")
_PHRASE = re.compile(r"(?<![a-z])[a-z]{3,8}+(?:(?:[\s,'\".:)(]|\\n|\d){1,6}[a-z]{3,8}+(?![a-z])){11,}+")
_WORD = re.compile(r"[a-z]{3,8}")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One shape of a secret. `hint`: what lower-cased text must hold for it to be there."""

    shape: re.Pattern[str]
    instead: str
    hint: str


PATTERNS = (
    Pattern(_PEM, HIDDEN, "private key-----"),
    Pattern(_WEBHOOK, rf"\1{HIDDEN}", "/webhooks/"),
    Pattern(_WEBHOOK, rf"\1{HIDDEN}", "/services/"),
    Pattern(_OURS, rf"\1{HIDDEN}", "mdat_"),
    Pattern(_SCHEME, rf"\1 {HIDDEN}", "bearer "),
    Pattern(_SCHEME, rf"\1 {HIDDEN}", "basic "),
    Pattern(_JWT, HIDDEN, "eyj"),
)


class Redaction:
    """Takes secrets out of text. Each process has one, see `redaction`."""

    def __init__(self) -> None:
        """Begin with no secret known by its value."""
        self._known: tuple[str, ...] = ()

    def learn(self, secret: str) -> None:
        """Hide `secret` from now on wherever it stands; of a URL its password, of `name:secret` what follows."""
        fresh = _forms(secret).difference(self._known)
        if fresh:
            # The longest first: one may be part of another.
            self._known = tuple(sorted({*self._known, *fresh}, key=len, reverse=True))

    def __call__(self, text: str) -> str:
        """Return `text` with every secret hidden."""
        for secret in self._known:
            if secret in text:
                text = text.replace(secret, HIDDEN)
        lowered = text.lower()
        for pattern in PATTERNS:
            if pattern.hint in lowered:
                text = pattern.shape.sub(pattern.instead, text)
        if "://" in text:
            text = _spans_hidden(text, _URL, _secret_of_url)
        if any(hint in lowered for hint in _NAMED_HINTS):
            text = _spans_hidden(text, _NAMED, _secret_of_name)
        return _without_shapeless(text)


@lru_cache(maxsize=1)
def redaction() -> Redaction:
    """Return this process's redaction."""
    return Redaction()


Span = tuple[int, int] | None


def _spans_hidden(text: str, shape: re.Pattern[str], secret_of: Callable[[re.Match[str]], Span]) -> str:
    """Return `text` without what `secret_of` finds in the matches of a shape, which knows small letters only."""
    lowered = text.lower()
    if len(lowered) != len(text):
        # A few letters of other alphabets are two when small; then the places would not be the same.
        lowered = text = "".join(c if len(c.lower()) == 1 else "?" for c in text)
        lowered = lowered.lower()
    pieces, kept_from = [], 0
    for match in shape.finditer(lowered):
        span = secret_of(match)
        if span is not None:
            pieces += [text[kept_from : span[0]], HIDDEN]
            kept_from = span[1]
    return "".join([*pieces, text[kept_from:]]) if pieces else text


def _secret_of_name(match: re.Match[str]) -> Span:
    return match.span(1)


def _secret_of_url(match: re.Match[str]) -> Span:
    """Return where in a URL its secret is: all of a channel's, a password, or a token that stands for the user."""
    rest, start = match.group(2), match.start(2)
    if match.group(1) in _CHANNELS:
        return match.span(2)
    # The last one: who wrote the password may have forgotten to quote its @.
    end = rest.rfind("@")
    user, colon, password = rest[: max(end, 0)].partition(":")
    if "/" in user or (not password and len(user) < 20):
        return None
    return (start + len(user) + len(colon), start + end) if colon else (start, start + end)


def _without_shapeless(text: str) -> str:
    """Hide what has no name and no form: long runs, bots' tokens, the words from which wallets are made."""
    longest = max(map(len, text.split()), default=0)
    if longest >= 40:
        text = _BOT.sub(HIDDEN, text)
    if longest >= 60:
        text = _LONG_BASE64.sub(HIDDEN, _LONG.sub(HIDDEN, text))
    return _PHRASE.sub(_phrase_hidden, text) if len(text) >= SHORTEST_PHRASE else text


def _forms(secret: str) -> frozenset[str]:
    """Return the texts in which a secret may show: as it is, without its name, and as URLs write it."""
    if "://" in secret:
        try:
            bare = {urlsplit(secret).password or ""}
        except ValueError:
            bare = {secret}
    else:
        bare = {secret, secret.partition(":")[2], secret.removeprefix("0x")}
    spelt = {form for text in bare for form in (text, unquote(text), quote(text, safe=""), repr(text)[1:-1])}
    return frozenset(form for form in spelt if len(form) >= SHORTEST)


def _phrase_hidden(run: re.Match[str]) -> str:
    """Hide, in a run of short words, twelve or more in a row that are all of the list that wallets draw from."""
    text, words = run.group(), phrase_words()
    found = list(_WORD.finditer(text))
    pieces, kept_from, index = [], 0, 0
    while index < len(found):
        end = index
        while end < len(found) and found[end].group() in words:
            end += 1
        if end - index >= PHRASE_WORDS:
            pieces += [text[kept_from : found[index].start()], HIDDEN]
            kept_from = found[end - 1].end()
        index = max(end, index + 1)
    return "".join([*pieces, text[kept_from:]])


@lru_cache(maxsize=1)
def phrase_words() -> frozenset[str]:
    """Return the 2,048 words of BIP-39, from the package that signs; read only when a phrase may be there."""
    package = find_spec("eth_account")
    folders = (package.submodule_search_locations if package else None) or ()
    for folder in folders:
        path = Path(folder) / "hdaccount" / "wordlist" / "english.txt"
        if path.is_file():
            return frozenset(path.read_text(encoding="utf-8").split())
    return frozenset()
