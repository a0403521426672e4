"""The report of an erasure: ids, tables and counts without personal data, signed so that nobody can change it unseen.

Signed with Ed25519 by a key that follows from PIPELINE_SECRET_KEY; the signature is over the report as JSON with sorted
keys and without blanks, in UTF-8, without `signature` itself. The public key stands beside it.
"""

import json
from base64 import b64decode, b64encode, urlsafe_b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from pipeline.errors import GiveUp
from pipeline.warehouse.tokens import cipher_of
from pipeline.whole_file import written_whole

ALGORITHM = "Ed25519"
_PURPOSE = b"pipeline erasure reports"


def signed(report: Mapping[str, Any], secret_key: str) -> dict[str, Any]:
    """The report with its signature; raises ConfigurationError when the key is none."""
    key = _key(secret_key)
    signature = {
        "algorithm": ALGORITHM,
        "public_key": b64encode(_raw(key.public_key())).decode(),
        "value": b64encode(key.sign(_canonical(report))).decode(),
    }
    return {**report, "signature": signature}


def verified(path: Path, secret_key: str) -> dict[str, Any]:
    """A report as it was signed here; raises GiveUp when it was changed since, or signed with another key."""
    try:
        report = json.loads(path.read_text("utf-8"))
        signature = report["signature"]
        value, public = b64decode(signature["value"]), b64decode(signature["public_key"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise GiveUp(f"{path} is no report of an erasure that can be read ({type(error).__name__}).") from None
    key = _key(secret_key).public_key()
    if public != _raw(key):
        raise GiveUp(f"{path} was signed with another PIPELINE_SECRET_KEY than this one: set that of its time.")
    try:
        key.verify(value, _canonical(report))
    except InvalidSignature:
        raise GiveUp(f"{path} is not as it was signed: it was changed afterwards, or damaged.") from None
    return report


def save(report: Mapping[str, Any], path: Path) -> None:
    """Writes it whole or not at all, for its owner's eyes; raises GiveUp where that can't be."""
    try:
        with written_whole(path, private=True) as unfinished, unfinished.open("w", encoding="utf-8") as out:
            json.dump(report, out, ensure_ascii=False, indent=2)
    except OSError as error:
        raise GiveUp(
            f"The erasure is done, but its report can't be written to {path} ({error.strerror}): run the same command "
            "again with another --to."
        ) from None


def _key(secret_key: str) -> Ed25519PrivateKey:
    cipher_of(secret_key)  # says what is wrong with it
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(urlsafe_b64decode(secret_key))
    return Ed25519PrivateKey.from_private_bytes(derived)


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _canonical(report: Mapping[str, Any]) -> bytes:
    said = {name: value for name, value in report.items() if name != "signature"}
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
