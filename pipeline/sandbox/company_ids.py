"""GUIDs that follow from other things: the same words give the same one, and the company's dice are not touched."""

import hashlib


def derived_id(*parts: object) -> str:
    """The GUID of what belongs to these."""
    digits = hashlib.blake2b(" ".join(map(str, parts)).encode(), digest_size=16).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
