"""Finds the pipeline, stages, fields, options and users by name, and makes what is missing.

Nothing is renamed or removed but an option whose meaning got another label (a renamed item group).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.errors import GiveUp, HoldRow
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

    `stages` gives the name of each stage in their order. Raises GiveUp when a field of that name has another type.
    """
    schema = Schema(options=dict(known.options), users=users(client))
    schema.pipeline_id = _pipeline(client, pipeline)
    schema.stages = _stages(client, schema.pipeline_id, stages)
    found = {entity: _custom_fields(client, path) for entity, path in PATHS.items()}
    used_before = "Exact order-ID" in found["deal"] or "Exact item-ID" in found["product"]
    for field in fields:
        if not field.has_options or field.options:
            _field(client, schema, field, found[field.entity].get(field.name))
    return schema, used_before


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


def _pipeline(client: PipedriveClient, name: str) -> int:
    for page in client.pages("/api/v2/pipelines"):
        for pipeline in page:
            if pipeline["name"] == name and not pipeline.get("is_deleted"):
                return int(pipeline["id"])
    return int(client.post("/api/v2/pipelines", {"name": name})["id"])


def _stages(client: PipedriveClient, pipeline_id: int, names: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for page in client.pages("/api/v2/stages", pipeline_id=pipeline_id):
        for stage in page:
            if not stage.get("is_deleted"):
                found.setdefault(stage["name"], int(stage["id"]))
    for name in names.values():
        if name not in found:
            found[name] = int(client.post("/api/v2/stages", {"name": name, "pipeline_id": pipeline_id})["id"])
    return {stage: found[name] for stage, name in names.items()}


def _custom_fields(client: PipedriveClient, path: str) -> dict[str, dict[str, Any]]:
    fields = (field for page in client.pages(path) for field in page if field.get("is_custom_field"))
    return {field["field_name"]: field for field in fields}


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
    schema.fields[wanted.entity, wanted.name] = code
    if wanted.has_options:
        _options(client, schema, wanted, f"{path}/{code}/options", labels(found.get("options") or []))


def _made(client: PipedriveClient, path: str, wanted: CustomField) -> dict[str, Any]:
    body: dict[str, Any] = {"field_name": wanted.name, "field_type": wanted.field_type}
    if wanted.has_options:
        body["options"] = [{"label": label} for label in dict.fromkeys(wanted.options.values())]
    try:
        return client.post(path, body)
    except HoldRow as refusal:
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
    """New label → option, where what an option stands for is called otherwise now."""
    known = {
        meaning: schema.options.get((wanted.entity, wanted.name, meaning), (0, None)) for meaning in wanted.options
    }
    kept = {option for meaning, (option, before) in known.items() if before == wanted.options[meaning]}
    renamed: dict[str, int] = {}
    for meaning, label in wanted.options.items():
        option, before = known[meaning]
        if option in there.values() and option not in kept and before != label and label not in there:
            renamed.setdefault(label, option)
    return renamed
