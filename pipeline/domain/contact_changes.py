"""A person that both sides may change: what counts as a change, who wins, and what the ERP's contact gets to hold.

No vendor's field names here. Both sides are compared by what they say, so that what this pipeline wrote itself is no
change on either of them.
"""

import json
import re
from collections.abc import Collection
from dataclasses import asdict, dataclass
from enum import Enum
from hashlib import sha256

Fields = dict[str, str | None]
_ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")


@dataclass(frozen=True)
class Content:
    """What a side says of a person; `org_id` is the organization in Pipedrive of the customer."""

    name: str
    e_mail: str | None
    phone: str | None
    mobile: str | None
    org_id: int | None

    @property
    def hash(self) -> str:
        """SHA-256 of the content: by it what was written is told from what was changed."""
        return sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Contact:
    """A contact as the ERP holds it."""

    contact_id: str
    customer_id: str | None
    first_name: str | None
    middle_name: str | None
    last_name: str | None
    e_mail: str | None
    business_e_mail: str | None
    phone: str | None
    business_phone: str | None
    mobile: str | None
    business_mobile: str | None

    @property
    def name(self) -> str:
        """Its names as one; empty when it has none."""
        return " ".join(filter(None, (self.first_name, self.middle_name, self.last_name)))

    def shown(self, channel: str) -> str | None:
        """The address or number at work, else the private one; channels are `e_mail`, `phone` and `mobile`."""
        return getattr(self, f"business_{channel}") or getattr(self, channel)

    def has_address(self, e_mail: str) -> bool:
        """Whether it is one of the contact's addresses; capitals don't count."""
        return e_mail.lower() in {one.lower() for one in (self.e_mail, self.business_e_mail) if one}

    def content(self, org_id: int | None, name_before: str | None = None) -> Content:
        """What it says of the person; one without a name is called as it was called before, else by its address."""
        name = self.name or name_before or self.e_mail or self.business_e_mail or ""
        return content(name, self.shown("e_mail"), self.shown("phone"), self.shown("mobile"), org_id)


class Verdict(Enum):
    """What becomes of a person that waits."""

    NOTHING = "nothing"  # no change, or the same one on both sides
    WRITE = "write"
    ERP_WINS = "the ERP wins"


def content(name: str, e_mail: str | None, phone: str | None, mobile: str | None, org_id: int | None) -> Content:
    """Content without what makes no difference: blanks around, and a mobile number that is the phone's."""
    phone, mobile = _bare(phone), _bare(mobile)
    return Content(" ".join(name.split()), _bare(e_mail), phone, None if mobile == phone else mobile, org_id)


def decide(theirs: Content, erp: Content, *, agreed: str | None, own: Collection[str], is_linked: bool) -> Verdict:
    """Who has the last word on a person that shows `theirs` in Pipedrive while the ERP says `erp`.

    `agreed` is the hash both sides had last; `own` are those of what this pipeline sent to the ERP since. A person that
    was never linked to the contact is new: it updates the contact. Where nothing was ever agreed, the ERP wins.
    """
    if theirs == erp or theirs.hash == agreed:
        return Verdict.NOTHING
    if not is_linked or erp.hash == agreed or erp.hash in own:
        return Verdict.WRITE
    return Verdict.ERP_WINS


def differing(theirs: Content, erp: Content) -> dict[str, tuple[str | None, str | None]]:
    """The fields in which the two differ, with what each says."""
    one, other = asdict(theirs), asdict(erp)
    return {name: (_text(one[name]), _text(other[name])) for name in one if one[name] != other[name]}


def is_address(e_mail: str) -> bool:
    """Whether it looks like an e-mail address."""
    return bool(_ADDRESS.fullmatch(e_mail))


def name_parts(name: str) -> Fields:
    """A name as first, middle and last name; a single word is a last name."""
    first, *rest = name.split()
    if not rest:
        return {"first_name": None, "middle_name": None, "last_name": first}
    return {"first_name": first, "middle_name": " ".join(rest[:-1]) or None, "last_name": rest[-1]}


def new_contact(person: Content, customer_id: str) -> Fields:
    """What a contact is made with; the address stands at both places, as the ERP itself does it."""
    fields = {"customer_id": customer_id, **name_parts(person.name), "e_mail": person.e_mail}
    fields |= {f"business_{channel}": getattr(person, channel) for channel in ("e_mail", "phone", "mobile")}
    return {name: value for name, value in fields.items() if value}


def changes(contact: Contact, before: Content, person: Content, customer_id: str, *, is_linked: bool) -> Fields:
    """What of the contact, which says `before`, becomes another so that it says what the person says.

    What a person that was never linked leaves empty stays. A value is replaced wherever the contact shows it.
    """
    fields: Fields = {}
    if contact.customer_id != customer_id:
        fields["customer_id"] = customer_id
    if person.name != before.name:
        fields |= name_parts(person.name)
    for channel in ("e_mail", "phone", "mobile"):
        wanted, shown = getattr(person, channel), getattr(before, channel)
        if wanted == shown or (wanted is None and not is_linked):
            continue
        places = [f"business_{channel}", channel]
        of_old = [place for place in places if shown and _bare(getattr(contact, place)) == shown]
        fields |= dict.fromkeys(of_old or places[:1], wanted)
    return fields


def _bare(value: str | None) -> str | None:
    return (value or "").strip() or None


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)
