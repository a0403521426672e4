"""Finds the pipeline, stages, fields, options and users by name, and makes what is missing.

Nothing is removed. What is known by its id gets its name back where people renamed it: by that name it is found again
after a loss. An option whose meaning got another label (a renamed item group) is renamed too.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipeline.domain.pipedrive_plans import plan_by_burst
from pipeline.errors import Full, GiveUp, HoldRow
from pipeline.pipedrive import amounts
from pipeline.pipedrive.client import PipedriveClient
from pipeline.pipedrive.fields import PATHS, CustomField
from pipeline.pipedrive.schema import Schema, User, labels


def complete(
    client: PipedriveClient,
    known: Schema,
    *,
    pipeline: str,
    stages: Mapping[str, str],
    fields: Iterable[CustomField],
) -> tuple[Schema, bool]:
    """The schema with everything in it, and whether records of ours may already be there.

    `stages` gives the name of each stage in their order; of optional fields the first are made, as far as the plan has
    room. Raises GiveUp when a field of that name has another type.
    """
    schema = Schema(options=dict(known.options), users=users(client))
    schema.pipeline_id = _pipeline(client, pipeline, known.pipeline_id)
    schema.stages = _stages(client, schema.pipeline_id, stages, known.stages)
    found = {entity: custom_fields_of(client, entity) for entity in PATHS}
    names = {entity: {field["field_name"] for field in there} for entity, there in found.items()}
    keys = (("deal", "Exact order-ID"), ("product", "Exact item-ID"), ("person", "Exact contact-ID"))
    used_before = any(name in names[entity] for entity, name in keys)
    fields, there = list(fields), sum(map(len, found.values()))
    for field in fields:
        if not field.is_optional and (field.options or not field.has_options):
            code = known.fields.get((field.entity, field.name))
            chosen = _chosen(found[field.entity], "field_name", field.name, "field_code", code)
            there += chosen is None
            _field(client, schema, field, chosen)
    optional = [field for field in fields if field.is_optional]
    complete_amounts(client, known, schema, optional, found["deal"], there=there)
    return schema, used_before


def there_already(client: PipedriveClient, entity: str) -> Schema:
    """The custom fields of an entity as they are, options by their labels; nothing is made."""
    schema = Schema()
    for field in custom_fields_of(client, entity):
        schema.fields[entity, field["field_name"]] = field["field_code"]
        for label, option in labels(field.get("options") or []).items():
            schema.options[entity, field["field_name"], label] = (option, label)
    return schema


def custom_fields_of(client: PipedriveClient, entity: str) -> list[dict[str, Any]]:
    """The custom fields of an entity as Pipedrive lists them, its own fields left out."""
    return [field for page in client.pages(PATHS[entity]) for field in page if field.get("is_custom_field")]


def users(client: PipedriveClient) -> dict[str, User]:
    """Everybody of the account, by e-mail."""
    return {
        str(user["email"]).lower(): User(
            user_id=int(user["id"]),
            is_active=bool(user.get("active_flag", True)) and not user.get("is_deleted"),
            is_token_owner=bool(user.get("is_you")),
        )
        for user in client.get("/api/v1/users")
    }


def _chosen(there: Iterable[dict[str, Any]], name_key: str, name: str, id_key: str, known: Any) -> dict | None:
    """The one of that name, of several the one we know; else the one we know, whatever it is called now."""
    there = list(there)
    ours = next((one for one in there if one[id_key] == known), None)
    named = [one for one in there if one[name_key] == name]
    return ours if ours in named else next(iter(named), ours)


def _pipeline(client: PipedriveClient, name: str, known: int) -> int:
    there = [one for page in client.pages("/api/v2/pipelines") for one in page if not one.get("is_deleted")]
    return _named(client, "/api/v2/pipelines", name, _chosen(there, "name", name, "id", known), {})


def _stages(
    client: PipedriveClient, pipeline_id: int, names: Mapping[str, str], known: Mapping[str, int]
) -> dict[str, int]:
    path = "/api/v2/stages"
    pages = client.pages(path, pipeline_id=pipeline_id)
    there = [stage for page in pages for stage in page if not stage.get("is_deleted")]
    return {
        stage: _named(
            client, path, name, _chosen(there, "name", name, "id", known.get(stage)), {"pipeline_id": pipeline_id}
        )
        for stage, name in names.items()
    }


def _named(client: PipedriveClient, path: str, name: str, found: dict[str, Any] | None, of: Mapping[str, Any]) -> int:
    """The id of what bears the name now: found so, called so again, or made."""
    if found is None:
        return int(client.post(path, {"name": name, **of})["id"])
    if found["name"] != name:
        client.patch(f"{path}/{found['id']}", {"name": name})
    return int(found["id"])


def complete_amounts(
    client: PipedriveClient,
    known: Schema,
    schema: Schema,
    wanted: Sequence[CustomField],
    found: Sequence[dict[str, Any]],
    *,
    there: int,
) -> None:
    """The fields for revenue by item group: a renamed group's is renamed, what has no room is left out.

    `found` are the deal fields, `there` is how many custom fields the account has of all kinds. Nothing tells an
    account's plan but the size of its burst window; where that is none we know, the refusal of a field does.
    """
    keys, plan = amounts.assigned(known, wanted, found), plan_by_burst(client.ledger.burst)
    by_key = {field["field_code"]: field for field in found}
    room = plan.room_for_category_fields(there) if plan else len(wanted)
    for field in wanted:
        before = by_key.get(keys.get(field.name, ""))
        if before is None and room > 0:
            room -= 1
            try:
                before = _made(client, PATHS[field.entity], field)
            except Full:
                room = 0
        if before is None:
            schema.left_out.append(amounts.group_of(field))
        else:
            _field(client, schema, field, before)
    if wanted:
        schema.fields |= amounts.given_up(known, schema, by_key)


def _field(client: PipedriveClient, schema: Schema, wanted: CustomField, found: dict[str, Any] | None) -> None:
    path = PATHS[wanted.entity]
    if found is None:
        found = _made(client, path, wanted)
    if found["field_type"] != wanted.field_type:
        raise GiveUp(
            f'Pipedrive has a {wanted.entity} field "{wanted.name}" of type {found["field_type"]}, but '
            f"{wanted.field_type} is needed: rename that field in Pipedrive, then start again."
        )
    code = found["field_code"]
    if found["field_name"] != wanted.name:
        client.patch(f"{path}/{code}", {"field_name": wanted.name})
    schema.fields[wanted.entity, wanted.name] = code
    if wanted.has_options:
        _options(client, schema, wanted, f"{path}/{code}/options", labels(found.get("options") or []))


def _made(client: PipedriveClient, path: str, wanted: CustomField) -> dict[str, Any]:
    body: dict[str, Any] = {"field_name": wanted.name, "field_type": wanted.field_type}
    if wanted.has_options:
        body["options"] = [{"label": label} for label in dict.fromkeys(wanted.options.values())]
    try:
        return client.post(path, body)
    except (HoldRow, Full) as refusal:
        if wanted.is_optional and isinstance(refusal, Full):
            raise
        raise GiveUp(f'Pipedrive does not take the {wanted.entity} field "{wanted.name}". {refusal}') from None


def _options(client: PipedriveClient, schema: Schema, wanted: CustomField, path: str, there: dict[str, int]) -> None:
    renamed = _renamed(schema, wanted, there)
    if renamed:
        client.patch(path, [{"id": option_id, "label": label} for label, option_id in renamed.items()])
        there = {label: option for label, option in there.items() if option not in renamed.values()} | renamed
    missing = [label for label in dict.fromkeys(wanted.options.values()) if label not in there]
    if missing:
        there |= labels(client.post(path, [{"label": label} for label in missing]))
    for meaning, label in wanted.options.items():
        schema.options[wanted.entity, wanted.name, meaning] = (there[label], label)


def _renamed(schema: Schema, wanted: CustomField, there: Mapping[str, int]) -> dict[str, int]:
    """New label → option, where what an option stands for is called otherwise now, here or there."""
    known = {
        meaning: schema.options.get((wanted.entity, wanted.name, meaning), (0, None)) for meaning in wanted.options
    }
    kept = {option for meaning, (option, before) in known.items() if before == wanted.options[meaning]}
    renamed: dict[str, int] = {}
    for meaning, label in wanted.options.items():
        option, before = known[meaning]
        is_free = before == label or option not in kept
        if option in there.values() and is_free and label not in there and option not in renamed.values():
            renamed.setdefault(label, option)
    return renamed
