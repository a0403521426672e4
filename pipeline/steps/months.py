"""The month an order stands in, as SQL says it. Order dates are missing only on orders that Exact itself gives none."""

NO_DATE = "DATE '1900-01-01'"


def month_of(order_date: str) -> str:
    """The first day of that date's month; `NO_DATE` where there is none."""
    return f"coalesce(date_trunc('month', {order_date})::date, {NO_DATE})"
