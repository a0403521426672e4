"""What a request costs in tokens, by its method and path: the price list of API v2, and of v1 where needed."""

import re

from pipeline.domain import budget

_PRICES: tuple[tuple[str, str, int], ...] = (
    ("GET", r"/api/v1/users/me", 2),
    ("GET", r"/api/v1/users", budget.READ_USERS),
    ("GET", r"/api/v2/(itemSearch(/field)?|\w+/search)", budget.SEARCH),
    ("GET", r"/api/v2/deals/archived", 20),
    ("GET", r"/api/v2/(pipelines|stages)", budget.READ_STAGES),
    ("GET", r"/api/v2/deals/products", budget.READ_LIST),
    ("GET", r"/api/v2/deals/\d+/products", budget.READ_LIST),
    ("GET", r"/api/v2/\w+", budget.READ_LIST),
    ("GET", r"/api/v2/\w+/\w+", budget.READ_ONE),
    ("POST", r"/api/v2/deals/\d+/products/bulk", budget.BULK_ADD),
    ("DELETE", r"/api/v2/deals/\d+/products", budget.BULK_DELETE),
    ("DELETE", r".*", budget.DELETE),
    ("POST|PATCH", r".*", budget.WRITE),
)
_COMPILED = tuple((re.compile(method), re.compile(path), tokens) for method, path, tokens in _PRICES)


def price(method: str, path: str) -> int:
    """Tokens the request costs."""
    for known_method, known_path, tokens in _COMPILED:
        if known_method.fullmatch(method) and known_path.fullmatch(path):
            return tokens
    raise ValueError(f"no price is known for {method} {path}")


def kind(method: str, path: str) -> str:
    """The request's kind: its method and path without ids."""
    return f"{method} {re.sub(r'/([0-9]+|[0-9a-f]{40})(?=/|$)', '/{id}', path)}"
