"""Which backups are kept. Folders and files are `steps/backup.py`'s."""

from collections.abc import Callable, Collection, Hashable
from datetime import datetime

DAYS, WEEKS, MONTHS = 14, 8, 12


def to_keep(made: Collection[datetime]) -> set[datetime]:
    """The newest backup of each of the last 14 days, 8 weeks and 12 months in which one was made (UTC).

    Periods without any don't count: while no backup is made, none grows too old. Of the last day all are kept: somebody
    may have made one before an upgrade.
    """
    of_the_last_day = {at for at in made if at.date() == max(made).date()}
    return (
        of_the_last_day
        | _newest_of_each(made, lambda at: at.date(), DAYS)
        | _newest_of_each(made, lambda at: at.isocalendar()[:2], WEEKS)
        | _newest_of_each(made, lambda at: (at.year, at.month), MONTHS)
    )


def _newest_of_each(made: Collection[datetime], period: Callable[[datetime], Hashable], periods: int) -> set[datetime]:
    newest = {period(at): at for at in sorted(made)}
    return set(sorted(newest.values())[-periods:])
