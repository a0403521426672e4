"""What nobody may read in a log, an event of Dagster's or an alert: taken out of a text, whoever wrote it.

The second line of defence. The first is that nobody logs what was sent or answered, and that errors name records by
their ids. Names of persons can't be recognised here, so they must never get this far.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import unquote, urlsplit

ADDRESS, SECRET = "(address)", "(secret)"
_SECRETS = (
    "EXACT_CLIENT_SECRET",
    "EXACT_REFRESH_TOKEN",
    "EXACT_WEBHOOK_SECRET",
    "PIPEDRIVE_API_TOKEN",
    "PIPELINE_SECRET_KEY",
    "POSTGRES_PASSWORD",
    "ALERT_WEBHOOK_URL",
)
_WITH_PASSWORD = ("WAREHOUSE_URL", "SMTP_URL")
_SHORTEST = 8  # characters; a shorter one is a word that stands in sentences for other reasons
_PATTERNS = (
    # user:password@ in front of a host
    (re.compile(r"(?<=://)[^\s/@'\"]+@"), ""),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=%-]+", re.IGNORECASE), rf"\1 {SECRET}"),
    (
        re.compile(
            r"(\b(?:x-)?(?:api[_-]?token|(?:access|refresh)[_-]?token|client[_-]?secret|password|passwd|authorization|"
            r"secret[_-]?key)\b['\"]?\s*[=:]\s*)(?!\s*(?:Bearer|Basic)\b)(?:'[^']*'|\"[^\"]*\"|[^\s,;&}'\")]+)",
            re.IGNORECASE,
        ),
        rf"\1{SECRET}",
    ),
    (re.compile(r"\b(code|state)=[\w.~%!+/-]{12,}"), rf"\1={SECRET}"),  # of a consent
    (re.compile(r"[^\s<>,;:'\"()=/@]+(?:@|%40)[^\s<>,;:'\"()/@?&]+"), ADDRESS),
    (re.compile(r"(?<![\w.])(?:\+|00)[1-9]\d[\d ()/-]{6,16}\d\b"), "(number)"),
)


def secrets_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The values in the environment that nobody may read, the longest first."""
    found = {environment.get(name, "").strip() for name in _SECRETS}
    for name in _WITH_PASSWORD:
        with suppress(ValueError):
            password = urlsplit(environment.get(name, "")).password or ""
            found |= {password, unquote(password)}
    return tuple(sorted((one for one in found if len(one) >= _SHORTEST), key=len, reverse=True))


def discreet(text: str, secrets: tuple[str, ...] = ()) -> str:
    """The text without those secrets, tokens, passwords, e-mail addresses and international telephone numbers."""
    for secret in secrets:
        text = text.replace(secret, SECRET)
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def scrub(error: BaseException, secrets: tuple[str, ...] = ()) -> None:
    """Takes them out of the texts an error was raised with, and of all errors behind it; kind and trace stay."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        one.args = tuple(discreet(said, secrets) if isinstance(said, str) else said for said in one.args)
        waiting += [one.__cause__, one.__context__]
