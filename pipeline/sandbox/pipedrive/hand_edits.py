"""What people do in Pipedrive's own pages: edits that cost no tokens and are bound by no rule but the type of a field.

An edit names its kind and the record; fields may be given by name, options by label. `hand_checks.py` looks first.
"""

from collections.abc import Callable
from typing import Any

from pipeline.sandbox.pipedrive import deal_changes, deal_value, field_requests, hand_checks, merging
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.deal_product_requests import remove_lines
from pipeline.sandbox.pipedrive.deal_requests import link_to_org, new_deal
from pipeline.sandbox.pipedrive.fields import Field
from pipeline.sandbox.pipedrive.organization_requests import new_organization, write_organization
from pipeline.sandbox.pipedrive.person_requests import new_person, write_person
from pipeline.sandbox.pipedrive.pipeline_requests import new_stage, remove_pipeline, remove_stage
from pipeline.sandbox.pipedrive.product_requests import new_product, write_product
from pipeline.sandbox.pipedrive.rows import DealProduct

_WRITE: dict[str, Callable[[Company, Any, dict[str, Any]], None]] = {
    "organization": write_organization,
    "person": write_person,
    "product": write_product,
}
_NEW: dict[str, Callable[[Company, dict[str, Any]], Any]] = {
    "deal": new_deal,
    "organization": new_organization,
    "person": new_person,
    "product": new_product,
}


def edit(company: Company, wanted: dict[str, Any]) -> dict[str, Any]:
    """Does one edit and tells the id of what was touched."""
    hand_checks.check_words(wanted)
    kind = wanted["kind"]
    if kind not in EDITS:
        raise ValueError(f"kind is one of {', '.join(EDITS)}")
    company.settle()
    company.change_source = "app"
    try:
        return EDITS[kind](company, wanted) or {}
    finally:
        company.change_source = "api"


def _custom_by_code(company: Company, entity: str, given: Any) -> dict[str, Any]:
    """Custom fields named by people become codes, option labels ids."""
    custom = {}
    if not isinstance(given, dict):
        raise ValueError("custom_fields: must be an object")
    for name, value in given.items():
        field = company.fields.find(entity, name)
        if field is None:
            raise ValueError(f"no {entity} field {name!r}")
        ids = {label: key for key, label in field.option_labels().items()}
        if isinstance(value, list):
            custom[field.code] = [ids.get(member, member) for member in value] or None
        else:
            custom[field.code] = ids.get(value, value) if isinstance(value, str) else value
    return custom


def _prepared(company: Company, entity: str, wanted: dict[str, Any]) -> dict[str, Any]:
    fields = dict(wanted["fields"])
    if "custom_fields" in fields:
        fields["custom_fields"] = _custom_by_code(company, entity, fields["custom_fields"])
    hand_checks.check_fields(company, entity, fields)
    return fields


def _add(company: Company, wanted: dict[str, Any]) -> dict[str, Any]:
    entity = wanted["kind"].removeprefix("add_")
    return {"id": _NEW[entity](company, _prepared(company, entity, wanted)).id}


def _edit_record(company: Company, wanted: dict[str, Any]) -> dict[str, Any]:
    entity = wanted["kind"].removeprefix("edit_")
    row, fields = company.table(entity).rows[wanted["id"]], _prepared(company, entity, wanted)
    with company.editing(entity, row):
        _WRITE[entity](company, row, fields)
    return {"id": row.id}


def _edit_deal(company: Company, wanted: dict[str, Any]) -> dict[str, Any]:
    deal = company.deals.rows[wanted["id"]]
    fields, org_before = _prepared(company, "deal", wanted), deal.org_id
    with company.editing("deal", deal):
        deal_changes.apply(company, deal, fields)
        link_to_org(company, deal, org_before)
    return {"id": deal.id}


def _delete_record(company: Company, wanted: dict[str, Any]) -> dict[str, Any]:
    entity = wanted["kind"].removeprefix("delete_")
    company.delete(entity, company.table(entity).rows[wanted["id"]])
    return {"id": wanted["id"]}


def _delete_product(company: Company, wanted: dict[str, Any]) -> dict[str, Any]:
    """Deleted for good (`"for_good": true`), its rows on deals lose their product."""
    company.delete("product", company.products.rows[wanted["id"]])
    if wanted.get("for_good"):
        for line in company.lines.rows.values():
            line.product_id = None if line.product_id == wanted["id"] else line.product_id
        company.products.drop(wanted["id"])
    return {"id": wanted["id"]}


def _add_row(company: Company, wanted: dict[str, Any]) -> dict[str, Any]:
    deal, fields = company.deals.rows[wanted["deal_id"]], _prepared(company, "deal_product", wanted)
    hand_checks.check_amount(fields)
    product = company.products.rows[fields.pop("product_id")]
    now = company.clock.text()
    quantity, price = fields.pop("quantity", 1), fields.pop("item_price", 0)
    line = DealProduct(company.lines.next_id, deal.id, product.id, product.name, quantity, price, now, now)
    for key, value in fields.items():
        setattr(line, key, value)
    company.lines.next_id += 1
    company.lines.rows[line.id] = line
    deal.lines.append(line)
    _revalue(company, line)
    return {"id": line.id}


def _edit_row(company: Company, wanted: dict[str, Any]) -> dict[str, Any]:
    line, fields = company.lines.rows[wanted["id"]], _prepared(company, "deal_product", wanted)
    hand_checks.check_amount(fields, line)
    for key, value in fields.items():
        setattr(line, key, value)
    line.update_time = company.clock.text()
    _revalue(company, line)
    return {"id": line.id}


def _revalue(company: Company, line: DealProduct) -> None:
    deal_value.price_line(line, company.settings)
    company.lines_changed(company.deals.rows[line.deal_id])


def _delete_row(company: Company, wanted: dict[str, Any]) -> dict[str, Any]:
    line = company.lines.rows[wanted["id"]]
    remove_lines(company, company.deals.rows[line.deal_id], {line.id})
    return {"id": line.id}


def _move_row(company: Company, wanted: dict[str, Any]) -> dict[str, Any]:
    line = company.lines.rows[wanted["id"]]
    lines = company.deals.rows[line.deal_id].lines
    lines.remove(line)
    lines.insert(wanted["place"] - 1, line)
    return {"id": line.id}


def _merge_deals(company: Company, wanted: dict[str, Any]) -> dict[str, Any]:
    source, target = company.deals.rows[wanted["id"]], company.deals.rows[wanted["into"]]
    if source is target:
        raise ValueError("a deal cannot be merged with itself")
    merging.merge_deals(company, source, target)
    return {"id": wanted["into"]}


def _add_field(company: Company, wanted: dict[str, Any]) -> dict[str, Any]:
    labels, now = wanted.get("options", []), company.clock.text()
    field = company.fields.create(wanted["entity"], wanted["field"], wanted["type"], labels, now)
    return {"field_code": field.code}


def _rename_field(company: Company, wanted: dict[str, Any]) -> None:
    hand_checks.named_field(company, wanted).name = wanted["name"]


def _delete_field(company: Company, wanted: dict[str, Any]) -> None:
    field = hand_checks.named_field(company, wanted)
    if not field.is_custom:
        raise ValueError("system fields stay")
    field_requests.remove_field(company, wanted["entity"], field)


def _add_option(company: Company, wanted: dict[str, Any]) -> dict[str, Any]:
    field = _choice(company, wanted)
    return company.fields.add_options(field, [str(wanted["option"])], company.clock.text())[0]


def _choice(company: Company, wanted: dict[str, Any]) -> Field:
    field = hand_checks.named_field(company, wanted)
    if not field.takes_options():
        raise ValueError(f"{field.name} has no options")
    return field


def _rename_option(company: Company, wanted: dict[str, Any]) -> None:
    for option in _choice(company, wanted).options or ():
        if wanted["option"] in (option["id"], option["label"]):
            option["label"] = wanted["name"]


def _delete_option(company: Company, wanted: dict[str, Any]) -> None:
    field = _choice(company, wanted)
    leaving = [key for key, label in field.option_labels().items() if wanted["option"] in (key, label)]
    field_requests.remove_options(company, wanted["entity"], field, leaving)


def _rename(company: Company, wanted: dict[str, Any]) -> None:
    entity = wanted["kind"].removeprefix("rename_")
    row = company.table(entity).rows[wanted["id"]]
    with company.editing(entity, row):
        row.name = wanted["name"]


def _add_stage(company: Company, wanted: dict[str, Any]) -> dict[str, Any]:
    fields = _prepared(company, "stage", wanted)
    if not {"name", "pipeline_id"} <= fields.keys():
        raise ValueError("a stage has a name and a pipeline_id")
    return {"id": new_stage(company, fields).id}


def _delete_stage(company: Company, wanted: dict[str, Any]) -> None:
    remove_stage(company, company.stages.rows[wanted["id"]])


def _delete_pipeline(company: Company, wanted: dict[str, Any]) -> None:
    remove_pipeline(company, company.pipelines.rows[wanted["id"]])


def _user(company: Company, wanted: dict[str, Any]) -> dict[str, Any]:
    """A colleague is named by e-mail or id."""
    user = next((user for user in company.users.values() if wanted["user"] in (user.id, user.email)), None)
    if user is None:
        raise ValueError(f"no user {wanted['user']!r}")
    user.is_active = wanted["kind"] == "activate_user"
    return {"id": user.id}


EDITS: dict[str, Callable[[Company, dict[str, Any]], dict[str, Any] | None]] = {
    **dict.fromkeys([f"add_{entity}" for entity in _NEW], _add),
    **dict.fromkeys([f"edit_{entity}" for entity in _WRITE], _edit_record),
    "edit_deal": _edit_deal,
    **dict.fromkeys(["delete_deal", "delete_organization", "delete_person"], _delete_record),
    "delete_product": _delete_product,
    "merge_deals": _merge_deals,
    "add_deal_product": _add_row,
    "edit_deal_product": _edit_row,
    "delete_deal_product": _delete_row,
    "move_deal_product": _move_row,
    "add_field": _add_field,
    "rename_field": _rename_field,
    "delete_field": _delete_field,
    "add_option": _add_option,
    "rename_option": _rename_option,
    "delete_option": _delete_option,
    "rename_pipeline": _rename,
    "rename_stage": _rename,
    "add_stage": _add_stage,
    "delete_stage": _delete_stage,
    "delete_pipeline": _delete_pipeline,
    "deactivate_user": _user,
    "activate_user": _user,
}
