"""What an erasure rests on: the hash by which somebody is kept out, words taken out of logs, until when books stay.

Plain values only. Which tables hold what is `steps/erase_records.py`'s.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from hashlib import sha256

ERASED_NAME = "Gewist op verzoek"  # what a person in Pipedrive is called afterwards: it needs a name
ERASED_WORD = "[gewist]"  # what stands in a log in the place of a name, an address or a number
FISCAL_YEARS = 7  # art. 52 AWR: after the end of the year the record belongs to
_SHORTEST = 4  # characters; what is shorter is no name that could be told from other words


@dataclass(frozen=True)
class Asked:
    """Who is to be erased; one of the three is said."""

    contact: str | None = None  # its id in the ERP
    account: str | None = None  # its id in the ERP, or its debtor code
    e_mail: str | None = None


def key_hash(administration: str, kind: str, key: str) -> str:
    """SHA-256 in hex by which a record is recognised that was erased; an id is a random number and can't be guessed."""
    return sha256(f"{administration} {kind} {key.lower()}".encode()).hexdigest()


def kept_until(newest: date | None, today: date) -> date:
    """The last day on which books have to be kept of which the newest is of that day; today's without one."""
    return date((newest or today).year + FISCAL_YEARS, 12, 31)


def last_backup_gone(today: date, months: int) -> date:
    """The first day on which no dump made up to today is kept any more, while one is made every night."""
    month = today.year * 12 + today.month - 1 + months
    return date(month // 12, month % 12 + 1, 2)


def words_pattern(words: Iterable[str | None]) -> str | None:
    """A regular expression of PostgreSQL's that finds those words in text and in JSON; None without any.

    Only whole words count, and none that is a key of a JSON object: a customer may be called like one.
    """
    chosen = {word.strip() for word in words if word and len(word.strip()) >= _SHORTEST}
    forms = {form for word in chosen for form in _forms(word)}
    if not forms:
        return None
    one_of_them = "|".join(re.sub(r"([^0-9A-Za-z])", _escaped, form) for form in sorted(forms, key=len, reverse=True))
    return rf'(?:(?<![[:alnum:]])|(?<=\\[nrt]))(?:{one_of_them})(?![[:alnum:]])(?!\\*"\s*:)'


def _forms(word: str) -> set[str]:
    """The word as it is, as Markdown tables have it, and each as JSON says it."""
    plain = {word, word.replace("|", "\\|")}
    return plain | {json.dumps(one, ensure_ascii=ascii)[1:-1] for one in plain for ascii in (True, False)}


def _escaped(found: re.Match[str]) -> str:
    return f"\\{found.group(1)}" if found.group(1).isascii() else found.group(1)
