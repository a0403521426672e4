"""The custom fields this pipeline owns: names, types, and what each option stands for. A field is a caption."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Entity = Literal["deal", "organization", "person", "product"]

PATHS: Mapping[str, str] = {
    "deal": "/api/v2/dealFields",
    "organization": "/api/v2/organizationFields",
    "person": "/api/v2/personFields",
    "product": "/api/v2/productFields",
}


@dataclass(frozen=True)
class CustomField:
    """A field as it should be; `options` gives the label for each thing an option stands for.

    `item_groups` are the codes of those whose revenue it holds.
    """

    entity: Entity
    name: str
    field_type: str
    options: Mapping[str, str] = field(default_factory=dict)
    item_groups: tuple[str, ...] = ()

    @property
    def has_options(self) -> bool:
        """Whether it is chosen from a list; such a field can't be made without an option."""
        return self.field_type in {"enum", "set"}

    @property
    def is_optional(self) -> bool:
        """Whether it is left out where the plan has no room for it."""
        return bool(self.item_groups)


DELIVERY = {"open": "Open", "partial": "Deels geleverd", "complete": "Geleverd"}
INVOICE = {"open": "Open", "partial": "Deels gefactureerd", "complete": "Gefactureerd"}
PAYMENT = {"open": "Open", "partial": "Deels betaald", "paid": "Betaald", "late": "Te laat"}
ITEM = {"active": "Actief", "ended": "Vervallen"}
YES_NO = {"yes": "Ja", "no": "Nee"}


_OF_A_GROUP = "Omzet "


def category_field(group: str) -> str:
    """The name of the field that holds a deal's revenue in one item group."""
    return f"{_OF_A_GROUP}{group}"


def is_category_field(entity: str, name: str) -> bool:
    """Whether a field of that name holds a deal's revenue in one item group."""
    return entity == "deal" and name.startswith(_OF_A_GROUP)


def custom_fields(
    *,
    administrations: Mapping[str, str],
    item_groups: Mapping[str, str],
    collections: Mapping[str, str] | None,
    category_amounts: bool,
) -> list[CustomField]:
    """Every field, with its options: item groups by code, administrations and collections by name."""
    fields = [
        CustomField("deal", "Exact order-ID", "varchar"),
        CustomField("deal", "Ordernummer", "varchar"),
        CustomField("deal", "Orderdatum", "date"),
        CustomField("deal", "Leverdatum", "date"),
        CustomField("deal", "Klantreferentie", "varchar"),
        CustomField("deal", "Leverstatus", "enum", DELIVERY),
        CustomField("deal", "Factuurstatus", "enum", INVOICE),
        CustomField("deal", "Betaalstatus", "enum", PAYMENT),
        CustomField("deal", "Artikelgroepen", "set", item_groups),
        CustomField("deal", "Hoofdgroep", "enum", item_groups),
        CustomField("deal", "Administratie", "enum", administrations),
        CustomField("organization", "Debiteurnummer", "varchar"),
        CustomField("organization", "Exact account-ID", "varchar"),
        CustomField("organization", "Administratie", "enum", administrations),
        CustomField("organization", "Laatste order", "date"),
        CustomField("organization", "Omzet 12 maanden", "monetary"),
        CustomField("organization", "Openstaand", "monetary"),
        CustomField("organization", "Slapend", "enum", YES_NO),
        CustomField("person", "Exact contact-ID", "varchar"),
        CustomField("product", "Artikelgroep", "enum", item_groups),
        CustomField("product", "Artikelstatus", "enum", ITEM),
        CustomField("product", "Exact item-ID", "varchar"),
    ]
    if collections is not None:
        fields.append(CustomField("product", "Collectie", "enum", collections))
    if category_amounts:
        codes: dict[str, tuple[str, ...]] = {}
        for code, label in item_groups.items():
            codes[label] = (*codes.get(label, ()), code)
        fields.extend(
            CustomField("deal", category_field(label), "monetary", item_groups=of) for label, of in codes.items()
        )
    return fields
