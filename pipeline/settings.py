"""The environment, read in one place: addresses, credentials, folders. What they are for is decided by whoever asks."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.config import PROJECT_FOLDER
from pipeline.errors import ConfigurationError

EXACT = "https://start.exactonline.nl"
DAILY_TOKENS = 30_000
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# What goes there is credentials and customers: never in the clear. A simulator in a network of one's own may be http.
VENDORS = ("exactonline.nl", "exactonline.be", "exactonline.de", "exactonline.fr", "exactonline.es", "exactonline.com",
           "exactonline.co.uk", "pipedrive.com")  # fmt: skip
IN_HEADERS = {"PIPEDRIVE_API_TOKEN"}


@dataclass(frozen=True)
class Settings:
    """What the environment says; a value that is needed and missing is named when it is asked for."""

    environment: Mapping[str, str] = field(repr=False)  # it holds every secret there is

    def required(self, name: str) -> str:
        """The variable's value; raises ConfigurationError when it is not set."""
        value = self._given(name)
        if not value:
            raise ConfigurationError(f"{name} is not set; put it into the environment or .env (see .env.example).")
        if name in IN_HEADERS and not (value.isascii() and value.isprintable() and " " not in value):
            raise ConfigurationError(f"{name} has a blank, a line break or an accent in it; copy it again.")
        return value

    def _given(self, name: str) -> str:
        """The variable's value without blanks around it, empty where it is not set."""
        value = self.environment.get(name, "").strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            raise ConfigurationError(
                f"{name} has quotation marks around it: take them off where it is set. .env may have them, but what "
                "else reads such files (`docker run --env-file`) hands them on."
            )
        return value

    @property
    def home(self) -> Path:
        """The folder for the embedded PostgreSQL, Dagster's home, keys and logs."""
        return Path(self._given("PIPELINE_HOME") or PROJECT_FOLDER / ".local").resolve()

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
        return _address("EXACT_BASE_URL", self._given("EXACT_BASE_URL") or EXACT)

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
        value = self._given("PIPEDRIVE_DAILY_TOKENS") or str(DAILY_TOKENS)
        if not (value.isascii() and value.isdigit()):
            raise ConfigurationError(
                f"PIPEDRIVE_DAILY_TOKENS is {value!r}; write a whole number such as {DAILY_TOKENS}."
            )
        return int(value)

    @property
    def executor(self) -> str:
        """The name of where a run's steps are carried out; empty: in the run's process."""
        return self._given("PIPELINE_EXECUTOR")


def settings() -> Settings:
    """The process's environment."""
    return Settings(os.environ)


def _address(name: str, value: str) -> str:
    """The address without a slash at its end; raises ConfigurationError, without what may be a password in it."""
    if not value.startswith(("https://", "http://")):
        raise ConfigurationError(f"{name} is {value!r}; write it with https:// in front.")
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or "@" in parts.netloc or parts.query or parts.fragment or not value.isprintable() or " " in value:
        raise ConfigurationError(
            f"{name} is no plain address; write https:// and the host alone, without a user, a password or a token."
        )
    if parts.scheme == "http" and _is_public(host):
        raise ConfigurationError(
            f"{name} is 'http://{host}', where credentials would travel in the clear; write it with https:// in front."
        )
    return value.rstrip("/")


def _is_public(host: str) -> bool:
    """Whether that is surely out in the internet: an address there, or one of the vendors'."""
    try:
        return ip_address(host).is_global
    except ValueError:
        return f".{host}".endswith(tuple(f".{vendor}" for vendor in VENDORS))
