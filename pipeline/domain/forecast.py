"""On which day work that costs tokens is done: in its order, with so many tokens a day, and no piece over two days.

What there is to do and what it costs is `steps/to_go.py`'s; nothing is asked or counted here.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """Pieces that are done one after another at the same price in tokens."""

    price: int
    pieces: int = 1
    is_live: bool = False  # whether it may use the tokens that are kept from history


@dataclass(frozen=True)
class Tokens:
    """What is left of today, what a day begins with, and how many of each day history leaves alone."""

    today: int
    a_day: int
    kept: int

    def for_work(self, work: Work, left: int) -> int:
        """How many of the tokens that are left may go into that work."""
        return max(0, left - (0 if work.is_live else self.kept))


def days_until_done(work: Iterable[Work], tokens: Tokens) -> list[int | None]:
    """For each piece of work in its order: in how many days it is done, 0 today.

    None for what costs more than a whole day has for it, and for all that is behind it: that never comes to its turn.
    What a day has left and is too little for the next piece is not spent.
    """
    found: list[int | None] = []
    day, left, is_stuck = 0, tokens.today, False
    for part in work:
        if not is_stuck and part.pieces and part.price:
            fits = tokens.for_work(part, left) // part.price
            fits_a_day = tokens.for_work(part, tokens.a_day) // part.price
            later = max(0, part.pieces - fits)
            is_stuck = later > 0 and fits_a_day == 0
            if later and not is_stuck:
                days = -(-later // fits_a_day)
                day, left = day + days, tokens.a_day - (later - (days - 1) * fits_a_day) * part.price
            elif not is_stuck:
                left -= part.pieces * part.price
        found.append(None if is_stuck else day)
    return found
