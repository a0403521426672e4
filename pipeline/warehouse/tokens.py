"""OAuth tokens at rest: encrypted, one row a chain, locked while somebody renews them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Connection, Engine, text

from pipeline.domain.oauth_tokens import Stop, Tokens
from pipeline.errors import ConfigurationError

_READ = """
SELECT access_token, refresh_token, first_refresh_token_hash,
    extract(epoch FROM clock_timestamp() - issued_at) AS age, stopped_for, stopped_until IS NULL AS is_final,
    -- A pause is ten minutes at most: one that ends later is from before the clock was put back.
    CASE WHEN stopped_until IS NULL OR stopped_until - clock_timestamp() BETWEEN interval '0' AND interval '10 minutes'
        THEN stopped END AS stopped
FROM state.tokens WHERE name = :name
"""
_BEGIN = """
INSERT INTO state.tokens (name, refresh_token, first_refresh_token_hash) VALUES (:name, :refresh, :first)
ON CONFLICT (name) DO UPDATE SET refresh_token = excluded.refresh_token, access_token = NULL, issued_at = NULL,
    first_refresh_token_hash = excluded.first_refresh_token_hash, stopped = NULL
    WHERE state.tokens.first_refresh_token_hash <> excluded.first_refresh_token_hash
"""
_SAVE = """
UPDATE state.tokens SET refresh_token = :refresh, access_token = :access, issued_at = clock_timestamp(), stopped = NULL
WHERE name = :name
"""
_CONSENTED = """
INSERT INTO state.tokens AS kept (name, refresh_token, access_token, issued_at, first_refresh_token_hash)
VALUES (:name, :refresh, :access, clock_timestamp(), coalesce(:first, :own))
ON CONFLICT (name) DO UPDATE SET refresh_token = excluded.refresh_token, access_token = excluded.access_token,
    issued_at = excluded.issued_at, stopped = NULL,
    first_refresh_token_hash = coalesce(:first, kept.first_refresh_token_hash)
"""
_STOP = """
UPDATE state.tokens SET stopped = :sentence, stopped_for = :credentials,
    stopped_until = clock_timestamp() + make_interval(secs => CAST(:seconds AS double precision))
WHERE name = :name
"""


def cipher_of(secret_key: str) -> Fernet:
    """The cipher for PIPELINE_SECRET_KEY; raises ConfigurationError when that is no key."""
    try:
        return Fernet(secret_key)
    except ValueError:
        raise ConfigurationError(
            "PIPELINE_SECRET_KEY is not a Fernet key (32 bytes, url-safe base64); make one with: "
            "python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
        ) from None


class StoredTokens:
    """The chain of one app and user, for all processes.

    `first_refresh_token` is the one a person handed over. A value other than the one the stored chain began with
    begins a new chain.
    """

    def __init__(self, engine: Engine, name: str, cipher: Fernet, first_refresh_token: str) -> None:
        self._engine, self._name, self._cipher, self._first = engine, name, cipher, first_refresh_token

    def read(self) -> Tokens:
        """The tokens as they stand."""
        with self._engine.begin() as tx:
            self._begin(tx)
            return self._read(tx)

    @contextmanager
    def locked(self) -> Iterator["LockedTokens"]:
        """The tokens while nobody else may renew them; what is saved is committed at the end."""
        with self._engine.begin() as tx:
            self._begin(tx)
            tx.execute(text("SELECT 1 FROM state.tokens WHERE name = :name FOR UPDATE"), {"name": self._name})
            yield LockedTokens(self, tx)

    def begin_anew(self, refresh: str, access: str) -> None:
        """A person consented: this pair begins a new chain, whatever EXACT_REFRESH_TOKEN still holds."""
        row = {
            "name": self._name,
            "refresh": self._encrypted(refresh),
            "access": self._encrypted(access),
            "first": _hash(self._first) if self._first else None,
            "own": _hash(refresh),
        }
        with self._engine.begin() as tx:
            tx.execute(text(_CONSENTED), row)

    def _begin(self, tx: Connection) -> None:
        if self._first:
            first = {"name": self._name, "refresh": self._encrypted(self._first), "first": _hash(self._first)}
            tx.execute(text(_BEGIN), first)

    def _read(self, tx: Connection) -> Tokens:
        row = tx.execute(text(_READ), {"name": self._name}).one_or_none()
        if row is None:
            raise ConfigurationError(
                "No refresh token is known for Exact Online: run `pipeline connect exact`, or set EXACT_REFRESH_TOKEN "
                "to one from a new consent."
            )
        access = self._decrypted(row.access_token) if row.access_token else None
        stop = Stop(row.stopped, row.stopped_for, row.is_final) if row.stopped else None
        return Tokens(self._decrypted(row.refresh_token), access, float(row.age or 0.0), stop)

    def _encrypted(self, token: str) -> str:
        return self._cipher.encrypt(token.encode()).decode()

    def _decrypted(self, stored: str) -> str:
        try:
            return self._cipher.decrypt(stored.encode()).decode()
        except InvalidToken:
            raise ConfigurationError(
                "The stored tokens were encrypted with another PIPELINE_SECRET_KEY: set that one, or run "
                "`pipeline connect exact` (or set EXACT_REFRESH_TOKEN to the token of a new consent)."
            ) from None


@dataclass(frozen=True)
class LockedTokens:
    """The stored tokens under their row lock."""

    store: StoredTokens
    tx: Connection

    def read(self) -> Tokens:
        """The tokens as they stand now, after whoever held the lock before."""
        return self.store._read(self.tx)

    def save(self, refresh: str, access: str) -> None:
        """Keeps a new pair, for good before it is used."""
        row = {
            "name": self.store._name,
            "refresh": self.store._encrypted(refresh),
            "access": self.store._encrypted(access),
        }
        self.tx.execute(text(_SAVE), row)
        self.tx.commit()

    def stop(self, sentence: str, credentials: str, seconds: float | None) -> None:
        """Keeps that none is to be asked for with these credentials: for so long, or until a person consented."""
        row = {"name": self.store._name, "sentence": sentence, "credentials": credentials, "seconds": seconds}
        self.tx.execute(text(_STOP), row)
        self.tx.commit()


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
