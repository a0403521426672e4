"""What a JSON value must be: small checks that answer with the problem in words, or None. No state, no references."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from pipeline.sandbox.pipedrive.clock import is_date, parsed_moment

Check = Callable[[Any], str | None]

CURRENCIES = frozenset(
    (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF "
        "CHF CLF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD "
        "HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD "
        "LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP "
        "PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLL SOS SRD STN SVC SYP SZL THB TJS TMT TND TOP "
        "TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWL "
    ).split()
)
_NUMBERS = (int, float)
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", re.ASCII)


def is_number(value: Any) -> bool:
    """A JSON number; Python counts true among its integers, JSON does not."""
    return type(value) in _NUMBERS


def is_integer(value: Any) -> bool:
    """A JSON number without a fraction."""
    kind = type(value)
    return (kind is int or (kind is float and value.is_integer())) and abs(value) < 2**53


def number(value: Any) -> str | None:
    """Any JSON number; text that looks like one is refused."""
    return None if is_number(value) and abs(value) < 1e15 else "must be a number"


def integer(value: Any) -> str | None:
    """A whole JSON number."""
    return None if is_integer(value) else "must be an integer"


def record_id(value: Any) -> str | None:
    """The number of a record."""
    return None if is_integer(value) and value > 0 else "must be a positive integer"


def boolean(value: Any) -> str | None:
    """true or false, not 0 or 1."""
    return None if isinstance(value, bool) else "must be a boolean"


def text(value: Any) -> str | None:
    """A JSON string."""
    return None if isinstance(value, str) else "must be a string"


def filled_text(value: Any) -> str | None:
    """A JSON string with something in it."""
    return text(value) or (None if value.strip() else "must not be empty")


def text_up_to(length: int) -> Check:
    """A JSON string that is not longer than this."""
    return lambda value: text(value) or (None if len(value) <= length else f"must be at most {length} characters")


def day(value: Any) -> str | None:
    """A date as YYYY-MM-DD."""
    return text(value) or (None if is_date(value) else "is not a valid date")


def moment(value: Any) -> str | None:
    """A whole-second RFC 3339 date and time."""
    return text(value) or (None if parsed_moment(value) else "is not a valid datetime")


def moment_or_sql(value: Any) -> str | None:
    """RFC 3339, or with a blank and no zone, as archive_time is still described."""
    return moment(value.replace(" ", "T") + "Z" if isinstance(value, str) and " " in value else value)


def clock_time(value: Any) -> str | None:
    """A time of day."""
    return text(value) or (None if _TIME.fullmatch(value) else "is not a valid time")


def currency(value: Any) -> str | None:
    """A currency by its three letters."""
    return None if isinstance(value, str) and value in CURRENCIES else "is not a valid currency"


def percentage(value: Any) -> str | None:
    """A number from 0 to 100."""
    return number(value) or (None if 0 <= value <= 100 else "must be between 0 and 100")


def one_of(*allowed: Any) -> Check:
    """One of a few words or numbers; 1 and true are not the same."""
    kinds = tuple({type(value) for value in allowed})
    words = ", ".join(str(value) for value in allowed)
    return lambda value: None if type(value) in kinds and value in allowed else f"must be one of [{words}]"


def nullable(check: Check) -> Check:
    """The same, or null."""
    return lambda value: None if value is None else check(value)


def list_of(check: Check, *, most: int | None = None, least: int = 0) -> Check:
    """An array whose members all fit."""

    def problem(value: Any) -> str | None:
        if not isinstance(value, list):
            return "must be an array"
        if len(value) < least or (most is not None and len(value) > most):
            return f"must have between {least} and {most} items"
        return next((found for member in value if (found := check(member))), None)

    return problem


def object_of(checks: Mapping[str, Check], *, required: tuple[str, ...] = ()) -> Check:
    """An object with these keys and no others."""

    def problem(value: Any) -> str | None:
        if not isinstance(value, dict):
            return "must be an object"
        for key in required:
            if key not in value:
                return f"must have '{key}'"
        for key, member in value.items():
            if key not in checks:
                return f"Parameter '{key}' is not allowed for this request"
            if found := checks[key](member):
                return f"'{key}' {found}"
        return None

    return problem


VISIBILITY = one_of(1, 3, 5, 7)
_ADDRESS_KEYS = (
    "country admin_area_level_1 admin_area_level_2 locality sublocality route street_number subpremise postal_code"
).split()
ADDRESS_KEYS = ("value", *_ADDRESS_KEYS)
address = object_of({"value": text} | dict.fromkeys(_ADDRESS_KEYS, nullable(text)), required=("value",))
