"""What Pipedrive's tokens went into, day by day and beside the budget: `marts.crm_token_usage`."""

from sqlalchemy import Engine, text

from pipeline.steps.ledger_book import BUDGET
from pipeline.warehouse.connection import lock_until_commit

# The first that fits a kind of request, as `pipedrive/prices.py` names them, says what it was for.
PURPOSES = (
    ("% /api/v2/deals/{id}/products%", "rows of deals"),
    ("% /api/v2/deals/products%", "rows of deals"),
    ("%Fields%", "settings"),
    ("% /api/v_/users%", "settings"),
    ("% /api/v2/pipelines%", "settings"),
    ("% /api/v2/stages%", "settings"),
    ("% /api/v2/deals%", "deals"),
    ("% /api/v2/organizations%", "organizations"),
    ("% /api/v2/persons%", "persons"),
    ("% /api/v2/products%", "products"),
    ("% /api/v2/itemSearch%", "searches"),
)
OTHER = "other"


def refresh_token_usage(engine: Engine) -> int:
    """Takes in what was booked since, and returns how many rows changed.

    Only the newest day there is and those after it can still change. A day's budget is known while it is that day.
    """
    with engine.begin() as tx:
        lock_until_commit(tx, "marts/crm_token_usage")
        patterns, purposes = zip(*PURPOSES, strict=True)
        of = {"patterns": list(patterns), "purposes": list(purposes), "other": OTHER, "budget": BUDGET}
        return tx.execute(text(_USAGE), of).rowcount


_USAGE = """
INSERT INTO marts.crm_token_usage AS there (budget_day, purpose, requests, tokens, budget)
SELECT booked.budget_day, coalesce(known.purpose, :other), sum(booked.requests), sum(booked.tokens), max(day.tokens)
FROM pipedrive.token_usage AS booked
LEFT JOIN LATERAL (
    SELECT purpose FROM unnest(CAST(:patterns AS text[]), CAST(:purposes AS text[])) WITH ORDINALITY
        AS listed (pattern, purpose, place)
    WHERE booked.request LIKE listed.pattern ORDER BY place LIMIT 1) AS known ON true
LEFT JOIN (
    SELECT CAST(value ->> 'day' AS date) AS budget_day, CAST(value ->> 'limit' AS bigint) AS tokens
    FROM state.remembered WHERE name = :budget) AS day USING (budget_day)
WHERE booked.budget_day >= coalesce((SELECT max(budget_day) FROM marts.crm_token_usage), '-infinity')
GROUP BY 1, 2
ON CONFLICT (budget_day, purpose) DO UPDATE SET requests = excluded.requests, tokens = excluded.tokens,
    budget = coalesce(excluded.budget, there.budget)
WHERE (there.requests, there.tokens, there.budget)
    IS DISTINCT FROM (excluded.requests, excluded.tokens, coalesce(excluded.budget, there.budget))
"""
