"""Search: by entity, over everything, and by one field's value. Hits are records the index already knows."""

import base64
from functools import partial
from typing import Any

from pipeline.sandbox.pipedrive import queries, search_documents
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.refusals import invalid
from pipeline.sandbox.pipedrive.requests import Call, Route, answer
from pipeline.sandbox.wire import Response

_ENTITIES = ("deal", "person", "organization", "product")
_OTHERS = ("lead", "file", "mail_attachment", "project")
_MOST_CANDIDATES = 2000
_PAGE: queries.Query = {"start": queries.from_zero, **queries.page()}
_FIELDS = {
    "deal": ("custom_fields", "notes", "title"),
    "person": ("custom_fields", "email", "notes", "phone", "name"),
    "organization": ("address", "custom_fields", "notes", "name"),
    "product": ("code", "custom_fields", "name"),
}


def _search_one(entity: str, call: Call) -> Response:
    hits = _hits(call, entity, _term(call))
    query = call.query
    for key, attribute in (("person_id", "person_id"), ("organization_id", "org_id"), ("status", "status")):
        if key in query:
            hits = [hit for hit in hits[:_MOST_CANDIDATES] if getattr(hit[1], attribute) == query[key]]
    return _page(call, [_item(call, entity, record, score) for score, record in hits], 100)


def _search_all(call: Call) -> Response:
    term, found = _term(call), []
    for entity in call.query.get("item_types", _ENTITIES):
        if entity in _ENTITIES:
            found += [_item(call, entity, record, score) for score, record in _hits(call, entity, term)]
    return _page(call, found, 100, {"related_items": []})


def _search_field(call: Call) -> Response:
    query, company = call.query, call.company
    entity, field, match = query.get("entity_type", ""), query.get("field", ""), query.get("match", "exact")
    term = _term(call, is_exact=match == "exact")
    missing = [f"{key}: Parameter '{key}' is required" for key in ("entity_type", "field") if key not in query]
    if missing:
        raise invalid(missing)
    if entity not in _ENTITIES:
        return _cut(call, [], 100)
    known = search_documents.custom_keys(company.fields, entity) | set(_FIELDS[entity])
    if field not in known - {"custom_fields", "notes"}:
        raise invalid([f"field: '{field}' cannot be searched"])
    ids = _matching_field(company, entity, field, term, match)
    known_rows = company.table(entity).rows
    rows = [known_rows[record_id] for record_id in ids if record_id in known_rows]
    if company.settings.field_search_shape == "items":
        return _cut(call, [_item(call, entity, row, 1) for row in rows], 100)
    return _cut(call, [{"id": row.id, "name": _name(entity, row)} for row in rows], 100)


def _matching_field(company: Company, entity: str, field: str, term: str, match: str) -> list[int]:
    """This endpoint tells upper case from lower case, unlike the others."""
    if match == "exact":
        return company.search.equal(entity, term, {field}, case_sensitive=True)
    candidates = company.search.holding(entity, term, {field})
    words = {record_id: company.search.document(entity, record_id)[field] for record_id in candidates}
    if match == "beginning":
        return [record_id for record_id, word in words.items() if word.startswith(term)]
    return [record_id for record_id, word in words.items() if term in word]


def _term(call: Call, *, is_exact: bool = False) -> str:
    term = call.query.get("term", "").strip()
    least = 1 if is_exact or call.query.get("exact_match") else 2
    if "term" not in call.query:
        raise invalid(["term: Parameter 'term' is required"])
    if len(term) < least:
        raise invalid([f"term: must be at least {least} characters long"])
    return term


def _hits(call: Call, entity: str, term: str) -> list[tuple[float, Any]]:
    company, query = call.company, call.query
    fields = _field_keys(company, entity, query.get("fields"))
    exact = set(company.search.equal(entity, term, fields))
    ids = sorted(exact) if query.get("exact_match") else company.search.holding(entity, term, fields)
    rows = company.table(entity).rows
    scored = [(1.0 if record_id in exact else 0.5, rows[record_id]) for record_id in ids if record_id in rows]
    return sorted(scored, key=lambda hit: (-hit[0], hit[1].id))


def _field_keys(company: Company, entity: str, asked: list[str] | None) -> set[str]:
    keys: set[str] = set()
    for name in asked or _FIELDS[entity]:
        if name == "custom_fields":
            keys |= search_documents.custom_keys(company.fields, entity)
        elif name in ("email", "phone"):
            keys |= {f"{name}{place}" for place in range(20)}
        else:
            keys.add(name)
    return keys


def _name(entity: str, row: Any) -> str:
    return row.title if entity == "deal" else row.name


def _item(call: Call, entity: str, row: Any, score: float) -> dict[str, Any]:
    """A hit; of its custom fields and notes only those that hold the term, without their keys."""
    company, term = call.company, call.query["term"].strip().casefold()
    found = company.search.document(entity, row.id).items()
    words = {key: value for key, value in found if term in value.casefold()}
    custom = search_documents.custom_keys(company.fields, entity)
    item: dict[str, Any] = {"id": row.id, "type": entity}
    item |= _ITEM[entity](company, row)
    item["visible_to"], item["owner"] = row.visible_to, {"id": row.owner_id}
    item["custom_fields"] = [value for key, value in words.items() if key in custom]
    if entity != "product":
        item["notes"] = [words["notes"]] if "notes" in words else []
    return {"result_score": score, "item": item}


def _deal_item(company: Company, row: Any) -> dict[str, Any]:
    stage, org = company.stages.rows.get(row.stage_id), company.organizations.rows.get(row.org_id)
    person = company.persons.rows.get(row.person_id)
    return {
        "title": row.title,
        "value": row.value,
        "currency": row.currency,
        "status": row.status,
        "stage": stage and {"id": stage.id, "name": stage.name},
        "person": person and {"id": person.id, "name": person.name},
        "organization": org and {"id": org.id, "name": org.name, "address": (org.address or {}).get("value")},
        "is_archived": row.is_archived,
    }


def _person_item(company: Company, row: Any) -> dict[str, Any]:
    org = company.organizations.rows.get(row.org_id)
    return {
        "name": row.name,
        "emails": [mail["value"] for mail in row.emails],
        "phones": [phone["value"] for phone in row.phones],
        "organization": org and {"id": org.id, "name": org.name, "address": (org.address or {}).get("value")},
    }


_ITEM = {
    "deal": _deal_item,
    "person": _person_item,
    "organization": lambda company, row: {"name": row.name, "address": (row.address or {}).get("value")},
    "product": lambda company, row: {"name": row.name, "code": row.code},
}


def _page(call: Call, items: list[Any], default: int, more: dict[str, Any] | None = None) -> Response:
    limit, start = call.query.get("limit", default), _start(call)
    end = start + limit
    return answer({"items": items[start:end], **(more or {})}, _additional(call, start, limit, len(items)))


def _cut(call: Call, items: list[Any], default: int) -> Response:
    limit, start = call.query.get("limit", default), _start(call)
    return answer(items[start : start + limit], _additional(call, start, limit, len(items)))


def _additional(call: Call, start: int, limit: int, total: int) -> dict[str, Any] | None:
    more = start + limit < total
    if call.company.settings.search_paging == "start":
        pagination = {"start": start, "limit": limit, "more_items_in_collection": more}
        return {"pagination": pagination | ({"next_start": start + limit} if more else {})}
    cursor = base64.urlsafe_b64encode(f'{{"from":{start + limit}}}'.encode()).decode().rstrip("=")
    if not more and call.company.settings.list_end != "null":
        return {} if call.company.settings.list_end == "omitted" else None
    return {"next_cursor": cursor if more else None}


def _start(call: Call) -> int:
    if "start" in call.query and call.company.settings.search_paging == "cursor":
        raise invalid(["start: Parameter 'start' is not allowed for this request"])
    if "cursor" not in call.query:
        return call.query.get("start", 0)
    text = call.query["cursor"]
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        return queries.whole(content.removeprefix('{"from":').removesuffix("}"))
    except ValueError:
        raise invalid(["cursor: is not valid"]) from None


def _search_query(entity: str) -> queries.Query:
    query = {
        "term": queries.words,
        "fields": queries.choices(*_FIELDS[entity]),
        "exact_match": queries.yes_no,
        **_PAGE,
    }
    if entity == "deal":
        statuses = queries.choice("open", "won", "lost")
        query |= {"person_id": queries.whole, "organization_id": queries.whole, "status": statuses}
    if entity == "person":
        query["organization_id"] = queries.whole
    included = {"deal": "deal.cc_email", "person": "person.picture", "product": "product.price"}
    if entity in included:
        query["include_fields"] = queries.choice(included[entity])
    return query


_ALL_QUERY: queries.Query = {
    "term": queries.words,
    "item_types": queries.choices(*_ENTITIES, *_OTHERS),
    "fields": queries.choices(*sorted({"description", *(name for names in _FIELDS.values() for name in names)})),
    "search_for_related_items": queries.yes_no,
    "exact_match": queries.yes_no,
    "include_fields": queries.choices("deal.cc_email", "person.picture", "product.price"),
    "start": queries.from_zero,
    **queries.page(most=100),
}
_FIELD_QUERY: queries.Query = {
    "term": queries.words,
    "entity_type": queries.choice("deal", "lead", "person", "organization", "product", "project"),
    "field": queries.filled,
    "match": queries.choice("exact", "beginning", "middle"),
    **_PAGE,
}
ROUTES = [
    Route("GET", f"/api/v2/{entity}s/search", partial(_search_one, entity), 20, _search_query(entity), is_search=True)
    for entity in _ENTITIES
] + [
    Route("GET", "/api/v2/itemSearch", _search_all, 20, _ALL_QUERY, is_search=True),
    Route("GET", "/api/v2/itemSearch/field", _search_field, 20, _FIELD_QUERY, is_search=True),
]
