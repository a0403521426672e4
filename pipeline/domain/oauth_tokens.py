"""A pair of OAuth tokens as Exact Online gives them, and how long the access token may be used."""

from dataclasses import dataclass

REFRESH_AFTER = 575.0  # seconds; Exact refuses a new one before 570 and the old one ends at 600
EARLIEST_REFRESH = 570.0


@dataclass(frozen=True)
class Stop:
    """Why no token is asked for now: what went wrong, with which credentials, and whether it ends by itself."""

    sentence: str
    credentials: str
    is_final: bool


@dataclass(frozen=True)
class Tokens:
    """A refresh token, good for one use, and an access token; without the latter the chain has just begun."""

    refresh: str
    access: str | None = None
    age: float = 0.0  # seconds since the access token was issued
    stop: Stop | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether the access token can still be used."""
        return self.access is not None and self.age < REFRESH_AFTER
