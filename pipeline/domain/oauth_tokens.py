"""A pair of OAuth tokens as Exact Online gives them, and how long the access token may be used."""

from dataclasses import dataclass, field

REFRESH_AFTER = 575.0  # seconds; Exact refuses a new one before 570 and the old one ends at 600
EARLIEST_REFRESH = 570.0
CLOCK_MAY_LAG = 5.0  # seconds; a token from further in the future says that the clock was put back: its age is unknown


@dataclass(frozen=True)
class Stop:
    """Why no token is asked for now: what went wrong, with which credentials, and whether it ends by itself."""

    sentence: str
    credentials: str
    is_final: bool


@dataclass(frozen=True)
class Tokens:
    """A refresh token, good for one use, and an access token; without the latter the chain has just begun."""

    refresh: str = field(repr=False)
    access: str | None = field(default=None, repr=False)
    age: float = 0.0  # seconds since the access token was issued
    stop: Stop | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether the access token can still be used."""
        return self.access is not None and -CLOCK_MAY_LAG < self.age < REFRESH_AFTER
