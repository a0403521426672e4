"""How records look in v2 answers. Reads the state, changes nothing."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from pipeline.sandbox.pipedrive.clock import local_date
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.deal_value import money
from pipeline.sandbox.pipedrive.rows import Deal, DealProduct, Organization, Person, Pipeline, Product, Stage

_NONE: Mapping[str, Any] = {}
_NO_SYNC: dict[str, Any] = {"postal_address": None, "notes": None, "im": [], "birthday": None, "job_title": None}


def custom_fields(
    company: Company, entity: str, filled: dict[str, Any], query: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Every custom field of the entity, null where nothing is filled, or only those that were asked for."""
    if not filled and company.settings.empty_custom_fields == "null":
        return None
    shown: dict[str, Any] = company.fields.blank(entity) | filled
    if query.get("include_option_labels"):
        shown |= {code: _labelled(company, entity, code, value) for code, value in filled.items()}
    if "custom_fields" in query:
        return {code: shown[code] for code in query["custom_fields"] if code in shown}
    return shown


def _labelled(company: Company, entity: str, code: str, value: Any) -> Any:
    field = company.fields.of(entity)[code]
    labels = field.option_labels()
    if field.type == "enum":
        return {"id": value, "label": labels.get(value)}
    if field.type == "set":
        return [{"id": member, "label": labels.get(member)} for member in value]
    return value


def labels(company: Company, entity: str, record: Any, query: Mapping[str, Any]) -> dict[str, Any]:
    """The labels' words, where asked for."""
    if not query.get("include_labels"):
        return {}
    options = company.fields.of(entity)["label_ids"].options or ()
    chosen = [
        {k: option[k] for k in ("id", "label", "color")} for option in options if option["id"] in record.label_ids
    ]
    return {"labels": chosen}


_DEAL: Sequence[str] = (
    "id title creator_user_id owner_id value person_id org_id stage_id pipeline_id currency archive_time add_time "
    "update_time stage_change_time status is_archived is_deleted probability lost_reason visible_to close_time "
    "won_time lost_time expected_close_date label_ids acv arr mrr"
).split()
_deal_values = attrgetter(*_DEAL)


def deal(company: Company, row: Deal, query: Mapping[str, Any] = _NONE) -> dict[str, Any]:
    """A deal."""
    shown: dict[str, Any] = dict(zip(_DEAL, _deal_values(row), strict=True))
    shown["local_won_date"] = local_date(row.won_time)
    shown["local_lost_date"] = local_date(row.lost_time)
    shown["local_close_date"] = local_date(row.close_time)
    shown["origin"] = "API"
    shown["origin_id"] = shown["channel"] = shown["channel_id"] = None
    shown["custom_fields"] = custom_fields(company, "deal", row.custom, query)
    return shown | _deal_extras(company, row, query) if query else shown


def _deal_extras(company: Company, row: Deal, query: Mapping[str, Any]) -> dict[str, Any]:
    extras = {}
    for name in query.get("include_fields", ()):
        if name == "products_count":
            extras[name] = len(row.lines)
        elif name == "notes_count":
            extras[name] = len(company.notes_of.get(("deal", row.id), ()))
        elif name == "first_won_time":
            extras[name] = row.first_won_time
        elif name == "smart_bcc_email":
            extras[name] = f"sandbox+deal{row.id}@pipedrivemail.com"
        else:
            extras[name] = 0 if name.endswith("_count") else None
    return extras | labels(company, "deal", row, query)


def deal_product(deal_row: Deal, place: int, line: DealProduct) -> dict[str, Any]:
    """One product line of a deal; its currency is the deal's."""
    return {
        "id": line.id,
        "sum": money(line.cents),
        "tax": line.tax,
        "deal_id": line.deal_id,
        "name": line.name,
        "product_id": line.product_id,
        "product_variation_id": line.product_variation_id,
        "order_nr": place,
        "add_time": line.add_time,
        "update_time": line.update_time,
        "comments": line.comments,
        "currency": deal_row.currency,
        "discount": line.discount,
        "discount_type": line.discount_type,
        "quantity": line.quantity,
        "item_price": line.item_price,
        "tax_method": line.tax_method,
        "is_enabled": line.is_enabled,
        "billing_frequency": line.billing_frequency,
        "billing_frequency_cycles": line.billing_frequency_cycles,
        "billing_start_date": line.billing_start_date,
    }


def organization(company: Company, row: Organization, query: Mapping[str, Any] = _NONE) -> dict[str, Any]:
    """An organization."""
    return {
        "id": row.id,
        "name": row.name,
        "owner_id": row.owner_id,
        "add_time": row.add_time,
        "update_time": row.update_time,
        "is_deleted": row.is_deleted,
        "visible_to": row.visible_to,
        "address": row.address,
        "label_ids": row.label_ids,
        "website": row.website,
        "linkedin": row.linkedin,
        "industry": row.industry,
        "annual_revenue": row.annual_revenue,
        "employee_count": row.employee_count,
        "custom_fields": custom_fields(company, "organization", row.custom, query),
        **_counts(query),
        **labels(company, "organization", row, query),
    }


def person(company: Company, row: Person, query: Mapping[str, Any] = _NONE) -> dict[str, Any]:
    """A contact."""
    first, _, last = row.name.partition(" ")
    return {
        "id": row.id,
        "name": row.name,
        "first_name": first,
        "last_name": last or None,
        "owner_id": row.owner_id,
        "org_id": row.org_id,
        "add_time": row.add_time,
        "update_time": row.update_time,
        "emails": row.emails,
        "phones": row.phones,
        "is_deleted": row.is_deleted,
        "visible_to": row.visible_to,
        "label_ids": row.label_ids,
        "picture_id": None,
        **(_NO_SYNC | row.contact_sync if company.settings.contact_sync else {}),
        "custom_fields": custom_fields(company, "person", row.custom, query),
        **({"marketing_status": row.marketing_status} if "marketing_status" in query.get("include_fields", ()) else {}),
        **_counts(query),
        **labels(company, "person", row, query),
    }


def _counts(query: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: (0 if name.endswith("_count") else None)
        for name in query.get("include_fields", ())
        if name != "marketing_status"
    }


def product(company: Company, row: Product, query: Mapping[str, Any] = _NONE) -> dict[str, Any]:
    """An article. Its category comes back as text though it is written as a number."""
    return {
        "id": row.id,
        "name": row.name,
        "code": row.code,
        "unit": row.unit,
        "tax": row.tax,
        "is_deleted": row.is_deleted,
        "is_linkable": row.is_linkable,
        "visible_to": row.visible_to,
        "owner_id": row.owner_id,
        "add_time": row.add_time,
        "update_time": row.update_time,
        "description": row.description,
        "category": _category(company, row),
        "custom_fields": custom_fields(company, "product", row.custom, query),
        "billing_frequency": row.billing_frequency,
        "billing_frequency_cycles": row.billing_frequency_cycles,
        "prices": [{"product_id": row.id} | price for price in row.prices],
    }


def _category(company: Company, row: Product) -> str | None:
    if row.category is None or company.settings.category_as == "id":
        return None if row.category is None else str(row.category)
    return company.fields.of("product")["category"].option_labels().get(row.category)


def pipeline(row: Pipeline) -> dict[str, Any]:
    """A pipeline."""
    return {
        "id": row.id,
        "name": row.name,
        "order_nr": row.order_nr,
        "is_deleted": row.is_deleted,
        "is_deal_probability_enabled": row.is_deal_probability_enabled,
        "add_time": row.add_time,
        "update_time": row.update_time,
    }


def stage(row: Stage) -> dict[str, Any]:
    """A stage."""
    return {
        "id": row.id,
        "order_nr": row.order_nr,
        "name": row.name,
        "is_deleted": row.is_deleted,
        "deal_probability": row.deal_probability,
        "pipeline_id": row.pipeline_id,
        "is_deal_rot_enabled": row.is_deal_rot_enabled,
        "days_to_rotten": row.days_to_rotten,
        "add_time": row.add_time,
        "update_time": row.update_time,
    }
