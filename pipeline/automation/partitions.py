"""By what history and changes are divided: administrations, and administrations × months of order date."""

from datetime import date

import dagster as dg

from pipeline.config import Config

FIRST_MONTH = "2010-01"
ADMINISTRATION, MONTH = "administration", "month"


def by_administration(config: Config) -> dg.StaticPartitionsDefinition:
    """One partition an administration."""
    return dg.StaticPartitionsDefinition([administration.name for administration in config.administrations])


def by_month(config: Config) -> dg.MultiPartitionsDefinition:
    """One partition an administration and month, the present month among them."""
    months = dg.MonthlyPartitionsDefinition(start_date=FIRST_MONTH, fmt="%Y-%m", end_offset=1)
    return dg.MultiPartitionsDefinition({ADMINISTRATION: by_administration(config), MONTH: months})


def month_key(administration: str, month: date) -> str:
    """The key of one administration's month."""
    return dg.MultiPartitionKey({ADMINISTRATION: administration, MONTH: f"{month:%Y-%m}"})


def months_by_administration(keys: list[str]) -> dict[str, list[date]]:
    """The months of each administration among those keys, in order."""
    months: dict[str, list[date]] = {}
    for key in keys:
        administration, month = str(key).rsplit("|", 1)
        months.setdefault(administration, []).append(date.fromisoformat(f"{month}-01"))
    return {administration: sorted(found) for administration, found in months.items()}
