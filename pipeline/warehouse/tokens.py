"""OAuth tokens at rest: encrypted, one row a chain, locked while somebody renews them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Connection, Engine, text

from pipeline.domain.oauth_tokens import Tokens
from pipeline.errors import ConfigurationError

_READ = """
SELECT access_token, refresh_token, first_refresh_token_hash, extract(epoch FROM now() - issued_at) AS age
FROM state.tokens WHERE name = :name
"""
_BEGIN = """
INSERT INTO state.tokens (name, refresh_token, first_refresh_token_hash) VALUES (:name, :refresh, :first)
ON CONFLICT (name) DO UPDATE SET refresh_token = excluded.refresh_token, access_token = NULL, issued_at = NULL,
    first_refresh_token_hash = excluded.first_refresh_token_hash
    WHERE state.tokens.first_refresh_token_hash <> excluded.first_refresh_token_hash
"""
_SAVE = """
UPDATE state.tokens SET refresh_token = :refresh, access_token = :access, issued_at = clock_timestamp()
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

    def _begin(self, tx: Connection) -> None:
        if self._first:
            first = sha256(self._first.encode()).hexdigest()
            tx.execute(text(_BEGIN), {"name": self._name, "refresh": self._encrypted(self._first), "first": first})

    def _read(self, tx: Connection) -> Tokens:
        row = tx.execute(text(_READ), {"name": self._name}).one_or_none()
        if row is None:
            raise ConfigurationError(
                "No refresh token is known for Exact Online: set EXACT_REFRESH_TOKEN to one from a new consent."
            )
        access = self._decrypted(row.access_token) if row.access_token else None
        return Tokens(self._decrypted(row.refresh_token), access, float(row.age or 0.0))

    def _encrypted(self, token: str) -> str:
        return self._cipher.encrypt(token.encode()).decode()

    def _decrypted(self, stored: str) -> str:
        try:
            return self._cipher.decrypt(stored.encode()).decode()
        except InvalidToken:
            raise ConfigurationError(
                "The stored tokens were encrypted with another PIPELINE_SECRET_KEY: set that one, or consent again and "
                "set EXACT_REFRESH_TOKEN to the new token."
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
