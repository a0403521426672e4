"""Wanted content → the body of a request, and the difference between two bodies.

A row of `crm.*` comes in, in words; Pipedrive's ids and keys come from the schema.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from pipeline.domain.deal_products import DealRow
from pipeline.pipedrive.fields import category_field, is_category_field
from pipeline.pipedrive.schema import Schema

Body = dict[str, Any]
_EMPTY = (None, "", [], {})
_LEAST = 0.000_001  # below this two numbers are the same


def organization_body(row: Mapping[Any, Any], schema: Schema) -> Body:
    """An organization from a row of `crm.organizations`."""
    values = {
        "Debiteurnummer": row["debtor_code"],
        "Exact account-ID": row["customer_id"],
        "Administratie": schema.option("organization", "Administratie", row["administration"]),
        "Laatste order": _text(row["last_order_date"]),
        "Omzet 12 maanden": {"value": float(row["revenue_12_months"]), "currency": row["currency"]},
        "Openstaand": {"value": float(row["open_amount"]), "currency": row["currency"]},
        "Slapend": schema.option("organization", "Slapend", "yes" if row["is_dormant"] else "no"),
    }
    return {
        "name": row["name"],
        "owner_id": schema.owner(row["owner_e_mails"]),
        "address": {"value": row["address"]} if row["address"] else None,
        "website": row["website"],
        "custom_fields": {schema.code("organization", name): value for name, value in values.items()},
    }


def person_body(row: Mapping[Any, Any], schema: Schema) -> Body:
    """A person from a row of `crm.persons` and the `org_id` of its organization, None for one who left.

    Job titles are not written: they exist with Contact Sync only, and nothing tells whether an account has that.
    """
    return {
        "name": row["name"],
        "org_id": row["org_id"],
        "emails": _channels(work=row["e_mail"]),
        "phones": _channels(work=row["phone"], mobile=row["mobile"]),
        "custom_fields": {schema.code("person", "Exact contact-ID"): row["contact_id"]},
    }


def _channels(**values: str | None) -> list[Body]:
    """Addresses or numbers by their labels, each once, the first of them the primary one."""
    labels: dict[str, str] = {}
    for label, value in values.items():
        if value:
            labels.setdefault(value, label)
    first = next(iter(labels), None)
    return [{"value": value, "primary": value == first, "label": label} for value, label in labels.items()]


def product_body(row: Mapping[Any, Any], schema: Schema) -> Body:
    """A product from a row of `crm.products`."""
    fields = {
        schema.code("product", "Artikelstatus"): schema.option(
            "product", "Artikelstatus", "active" if row["is_active"] else "ended"
        ),
        schema.code("product", "Exact item-ID"): row["product_key"],
    }
    if ("product", "Artikelgroep") in schema.fields:
        group = schema.option("product", "Artikelgroep", row["item_group_code"])
        fields[schema.code("product", "Artikelgroep")] = group
    if ("product", "Collectie") in schema.fields:
        fields[schema.code("product", "Collectie")] = schema.option("product", "Collectie", row["collection"])
    return {
        "name": row["name"],
        "code": row["code"],
        "unit": row["unit"],
        "prices": [{"currency": row["currency"], "price": float(row["price"])}],
        "is_linkable": True,
        "custom_fields": fields,
    }


def deal_body(
    row: Mapping[Any, Any],
    schema: Schema,
    *,
    org_id: int,
    group_names: Mapping[str, str],
    written: Body | None = None,
) -> Body:
    """A deal from a row of `crm.deals`; won, lost and their moments come only with the status they belong to.

    A deal that was written closed and stays so keeps its owner, also one who has left since.
    """
    body = {
        "title": row["title"],
        "org_id": org_id,
        "owner_id": schema.owner(row["owner_e_mails"]),
        "pipeline_id": schema.pipeline_id,
        "stage_id": schema.stages[row["stage"]],
        "currency": row["currency"],
        "value": float(row["value"]),
        "status": row["status"],
        "expected_close_date": _text(row["delivery_date"]),
        "custom_fields": _deal_fields(row, schema, group_names),
    }
    if row["status"] != "open" and (written or {}).get("status") not in {None, "open"}:
        body["owner_id"] = schema.owner(row["owner_e_mails"], kept=(written or {}).get("owner_id"))
    if row["status"] != "open" and row["order_date"]:
        body[f"{row['status']}_time"] = f"{row['order_date']}T12:00:00Z"
    if row["status"] == "lost":
        body["lost_reason"] = row["lost_reason"]
    return body


def _deal_fields(row: Mapping[Any, Any], schema: Schema, group_names: Mapping[str, str]) -> Body:
    def option(name: str, meaning: str | None) -> int | None:
        return schema.option("deal", name, meaning)

    groups = sorted({chosen for code in row["item_group_codes"] if (chosen := option("Artikelgroepen", code))})
    values = {
        "Exact order-ID": row["order_id"],
        "Ordernummer": row["order_number"],
        "Orderdatum": _text(row["order_date"]),
        "Leverdatum": _text(row["delivery_date"]),
        "Klantreferentie": row["customer_reference"],
        "Leverstatus": option("Leverstatus", row["delivery_status"]),
        "Factuurstatus": option("Factuurstatus", row["invoice_status"]),
        "Betaalstatus": option("Betaalstatus", row["payment_status"]),
        "Artikelgroepen": groups or None,
        "Hoofdgroep": option("Hoofdgroep", row["main_item_group_code"]),
        "Administratie": option("Administratie", row["administration"]),
    }
    values |= _category_amounts(row, schema, group_names)
    return {schema.fields["deal", name]: value for name, value in values.items() if ("deal", name) in schema.fields}


def _category_amounts(row: Mapping[Any, Any], schema: Schema, group_names: Mapping[str, str]) -> Body:
    """Revenue by item group as monetary values; groups that share a name share a field."""
    if row["category_amounts"] is None:
        return {}
    sums: dict[str, Decimal | None] = {name: None for entity, name in schema.fields if is_category_field(entity, name)}
    for code, amount in row["category_amounts"].items():
        name = category_field(group_names.get(code, code))
        sums[name] = (sums.get(name) or Decimal(0)) + Decimal(str(amount))
    return {
        name: None if value is None else {"value": float(value), "currency": row["currency"]}
        for name, value in sums.items()
    }


def row_body(row: DealRow, product_id: int) -> Body:
    """A deal product. Tax and discount are said, since an account's own defaults could change the value."""
    return {
        "product_id": product_id,
        "item_price": float(row.item_price),
        "quantity": float(row.quantity),
        "comments": row.comments,
        "tax": 0,
        "tax_method": "none",
        "discount": 0,
        "discount_type": "percentage",
        "is_enabled": True,
    }


def creation(body: Body) -> Body:
    """The body that makes the record: what is empty is left out."""
    filled = {name: value for name, value in body.items() if value not in (None, []) and name != "custom_fields"}
    fields = {key: value for key, value in body["custom_fields"].items() if value is not None}
    return filled | ({"custom_fields": fields} if fields else {})


def difference(written: Body | None, wanted: Body, *, leaving_out: frozenset[str] = frozenset()) -> Body:
    """What must be sent so that the written content becomes the wanted one; empty when it is that already."""
    before = written or {}
    fields_before = before.get("custom_fields", {})
    changed = {
        name: value
        for name, value in wanted.items()
        if name != "custom_fields" and name not in leaving_out and (written is None or before.get(name) != value)
    }
    if written is not None:
        changed = {name: value for name, value in changed.items() if name in before or value is not None}
    fields = {
        key: value
        for key, value in wanted["custom_fields"].items()
        if written is None or fields_before.get(key) != value
    }
    return changed | ({"custom_fields": fields} if fields else {})


def without(body: Body, names: Iterable[str]) -> Body:
    """The body without those of its parts."""
    left_out = set(names)
    return {name: value for name, value in body.items() if name not in left_out}


def not_taken(sent: Body, answer: Mapping[str, Any]) -> Body:
    """What of a sent deal the answer shows otherwise: these may need the status to be there before."""
    names = ("stage_id", "status", "won_time", "lost_time", "lost_reason")
    return {name: sent[name] for name in names if name in sent and name in answer and answer[name] != sent[name]}


def seen(body: Body, record: Mapping[str, Any], *, leaving_out: frozenset[str] = frozenset()) -> Body:
    """The body as the record in Pipedrive shows it: its own values where they say the same, else the record's."""
    shown: Body = {
        name: value if name in leaving_out or same(value, record.get(name)) else record.get(name)
        for name, value in body.items()
        if name != "custom_fields"
    }
    fields = record.get("custom_fields") or {}
    shown["custom_fields"] = {
        code: value if same(value, fields.get(code)) else fields.get(code)
        for code, value in body.get("custom_fields", {}).items()
    }
    return shown


def same(written: Any, shown: Any) -> bool:
    """Whether Pipedrive shows what was written: it adds keys, turns empty into null and orders sets as it likes."""
    if written in _EMPTY or shown in _EMPTY:
        return written in _EMPTY and shown in _EMPTY
    if isinstance(written, dict):
        return isinstance(shown, dict) and all(same(value, shown.get(name)) for name, value in written.items())
    if isinstance(written, list):
        return isinstance(shown, list) and _same_members(written, shown)
    if isinstance(written, int | float) and isinstance(shown, int | float):
        return abs(written - shown) < _LEAST
    if isinstance(written, str) and isinstance(shown, str):
        return written.strip() == shown.strip()
    return written == shown


def _same_members(written: list[Any], shown: list[Any]) -> bool:
    return len(written) == len(shown) and all(any(same(one, other) for other in shown) for one in written)


def _text(day: Any) -> str | None:
    return None if day is None else str(day)
