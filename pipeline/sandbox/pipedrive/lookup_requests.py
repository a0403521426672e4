"""v1's short lists that never change: currencies and kinds of activities."""

from typing import Any

from pipeline.sandbox.pipedrive import checks, queries
from pipeline.sandbox.pipedrive.requests import Call, Route, answer
from pipeline.sandbox.wire import Response

_WITHOUT_CENTS = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND XAF XOF XPF".split())
_ACTIVITIES = ("call", "meeting", "task", "deadline", "email", "lunch")
_SINCE = "2024-01-08 09:00:00"


def _currencies(call: Call) -> Response:
    wanted = call.query.get("term", "").casefold()
    found = [_currency(place, code) for place, code in enumerate(sorted(checks.CURRENCIES), start=1)]
    return answer([row for row in found if wanted in row["code"].casefold()])


def _currency(place: int, code: str) -> dict[str, Any]:
    return {
        "id": place,
        "code": code,
        "name": code,
        "decimal_points": 0 if code in _WITHOUT_CENTS else 2,
        "symbol": {"EUR": "€", "USD": "$", "GBP": "£"}.get(code, code),
        "active_flag": True,
        "is_custom_flag": False,
    }


def _activity_types(call: Call) -> Response:
    return answer([_activity_type(place, word) for place, word in enumerate(_ACTIVITIES, start=1)])


def _activity_type(place: int, word: str) -> dict[str, Any]:
    return {
        "id": place,
        "order_nr": place,
        "name": word.capitalize(),
        "key_string": word,
        "icon_key": word,
        "active_flag": True,
        "color": None,
        "is_custom_flag": False,
        "add_time": _SINCE,
        "update_time": None,
    }


ROUTES = [
    Route("GET", "/api/v1/currencies", _currencies, 20, {"term": queries.words}),
    Route("GET", "/api/v1/activityTypes", _activity_types, 20),
]
