"""The whole state in words people can read: fields by name, options by label. Not Pipedrive's own."""

from collections.abc import Callable
from typing import Any

from pipeline.sandbox.pipedrive import pictures
from pipeline.sandbox.pipedrive.activity_requests import activity_picture
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.note_requests import note_picture
from pipeline.sandbox.pipedrive.user_requests import user_picture


def snapshot(company: Company, only: set[str] | None = None) -> dict[str, Any]:
    """The parts asked for, or all."""
    company.settle()
    return {name: part(company) for name, part in PARTS.items() if only is None or name in only}


def _deals(company: Company) -> list[dict[str, Any]]:
    return [_deal(company, row) for row in company.deals.rows.values()]


def _deal(company: Company, row: Any) -> dict[str, Any]:
    stage, pipeline = company.stages.rows.get(row.stage_id), company.pipelines.rows.get(row.pipeline_id)
    org, owner = company.organizations.rows.get(row.org_id), company.users.get(row.owner_id)
    shown = pictures.deal(company, row)
    shown["custom_fields"] = named(company, "deal", row.custom)
    shown["pipeline"], shown["stage"] = pipeline and pipeline.name, stage and stage.name
    shown["organization"], shown["owner"] = org and org.name, owner and owner.email
    shown["discounts"] = row.discounts
    shown["products"] = [pictures.deal_product(row, place, line) for place, line in enumerate(row.lines, start=1)]
    return shown


def named(company: Company, entity: str, custom: dict[str, Any]) -> dict[str, Any]:
    """Custom values by field name, options as their labels; empty fields as null."""
    shown: dict[str, Any] = {}
    for field in company.fields.custom(entity):
        value, labels = custom.get(field.code), field.option_labels()
        if isinstance(value, list):
            value = [labels.get(member, member) for member in value]
        elif field.type == "enum" and value is not None:
            value = labels.get(value, value)
        shown[field.name] = value
    return shown


def _with_names(entity: str, picture: Callable[..., dict[str, Any]]) -> Callable[[Company], list[dict[str, Any]]]:
    def part(company: Company) -> list[dict[str, Any]]:
        return [
            picture(company, row) | {"custom_fields": named(company, entity, row.custom), "is_deleted": row.is_deleted}
            for row in company.table(entity).rows.values()
        ]

    return part


def _fields(company: Company) -> dict[str, Any]:
    entities = ("deal", "organization", "person", "product")
    return {entity: [field.picture() for field in company.fields.of(entity).values()] for entity in entities}


def _webhooks(company: Company) -> list[dict[str, Any]]:
    return [hook.picture() for hook in company.deliveries.hooks.values()] if company.deliveries else []


PARTS: dict[str, Callable[[Company], Any]] = {
    "deals": _deals,
    "organizations": _with_names("organization", pictures.organization),
    "persons": _with_names("person", pictures.person),
    "products": _with_names("product", pictures.product),
    "pipelines": lambda company: [pictures.pipeline(row) for row in company.pipelines.rows.values()],
    "stages": lambda company: [pictures.stage(row) for row in company.stages.rows.values()],
    "fields": _fields,
    "users": lambda company: [user_picture(company, user) for user in company.users.values()],
    "notes": lambda company: [note_picture(row) for row in company.notes.live()],
    "activities": lambda company: [activity_picture(company, row) for row in company.activities.rows.values()],
    "filters": lambda company: [row.picture() for row in company.filters.rows.values()],
    "webhooks": lambda company: _webhooks(company),
}
