"""The environment, read in one place: addresses, credentials, folders. What they are for is decided by whoever asks."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.config import PROJECT_FOLDER
from pipeline.errors import ConfigurationError

EXACT = "https://start.exactonline.nl"
DAILY_TOKENS = 30_000
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Settings:
    """What the environment says; a value that is needed and missing is named when it is asked for."""

    environment: Mapping[str, str]

    def required(self, name: str) -> str:
        """The variable's value; raises ConfigurationError when it is not set."""
        value = self.environment.get(name, "").strip()
        if not value:
            raise ConfigurationError(f"{name} is not set; put it into the environment or .env (see .env.example).")
        return value

    @property
    def home(self) -> Path:
        """The folder for the embedded PostgreSQL, Dagster's home, keys and logs."""
        return Path(self.environment.get("PIPELINE_HOME") or PROJECT_FOLDER / ".local").resolve()

    @property
    def backups(self) -> Path:
        """The folder for dumps where none is named."""
        return self.home / "backups"

    @property
    def warehouse_url(self) -> str:
        """The warehouse; entry points that start the embedded PostgreSQL put its URL here."""
        return self.required("WAREHOUSE_URL")

    @property
    def exact_base_url(self) -> str:
        """Exact Online's host."""
        return _address("EXACT_BASE_URL", self.environment.get("EXACT_BASE_URL") or EXACT)

    @property
    def webhook_callback(self) -> str:
        """Where Exact Online sends its webhooks. It only takes https; a simulator beside us has no certificate."""
        address = _address("PUBLIC_URL", self.required("PUBLIC_URL"))
        if not address.startswith("https://") and urlsplit(address).hostname not in LOOPBACK:
            raise ConfigurationError(
                f"PUBLIC_URL is '{address}'; Exact Online sends webhooks only to https, so put a proxy with a "
                "certificate in front of the receiver and write its https:// address."
            )
        return f"{address}/webhooks/exact"

    @property
    def pipedrive_base_url(self) -> str:
        """The company's host at Pipedrive."""
        return _address("PIPEDRIVE_BASE_URL", self.required("PIPEDRIVE_BASE_URL"))

    @property
    def daily_tokens(self) -> int:
        """Pipedrive's daily token budget, where the answers don't tell."""
        value = self.environment.get("PIPEDRIVE_DAILY_TOKENS") or str(DAILY_TOKENS)
        if not (value.isascii() and value.isdigit()):
            raise ConfigurationError(
                f"PIPEDRIVE_DAILY_TOKENS is {value!r}; write a whole number such as {DAILY_TOKENS}."
            )
        return int(value)


def settings() -> Settings:
    """The process's environment."""
    return Settings(os.environ)


def _address(name: str, value: str) -> str:
    if not value.startswith(("https://", "http://")):
        raise ConfigurationError(f"{name} is {value!r}; write it with https:// in front.")
    return value.rstrip("/")
