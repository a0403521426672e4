"""Notes: v1's, on deals, organizations and persons."""

import re
from collections.abc import Mapping
from typing import Any

from pipeline.sandbox.pipedrive import checks, queries
from pipeline.sandbox.pipedrive.clock import parsed_moment, v1_text
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.refusals import bad_request, v1_not_found
from pipeline.sandbox.pipedrive.requests import Call, Route, Shape, answer, v1_page
from pipeline.sandbox.pipedrive.rows import Note
from pipeline.sandbox.wire import Response

_PARENTS = {"deal_id": "deal", "org_id": "organization", "person_id": "person"}
_SCRIPT = re.compile(r"(?is)<(script|style|iframe)\b.*?(</\1\s*>|$)")
_HANDLER = re.compile(r"(?i)\s+on\w+\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)")


def note_picture(note: Note) -> dict[str, Any]:
    """A note as v1 shows one."""
    return {
        "id": note.id,
        "content": note.content,
        "deal_id": note.deal_id,
        "org_id": note.org_id,
        "person_id": note.person_id,
        "lead_id": None,
        "user_id": note.user_id,
        "add_time": v1_text(note.add_time),
        "update_time": v1_text(note.update_time),
        "active_flag": not note.is_deleted,
        **{f"pinned_to_{what}_flag": note.pinned.get(what, False) for what in _PINS},
    }


_PINS = ("deal", "organization", "person")


def _list(call: Call) -> Response:
    query = call.query
    wanted = {key: query[key] for key in (*_PARENTS, "user_id") if key in query}
    found = [
        note
        for note in call.company.notes.live()
        if all(getattr(note, key) == value for key, value in wanted.items())
        and (note.update_time or "") >= query.get("updated_since", "")
    ]
    return v1_page(call, [note_picture(note) for note in found])


def _get(call: Call) -> Response:
    return answer(note_picture(_the_note(call)))


def _create(call: Call) -> Response:
    company, body = call.company, call.body
    if not any(body.get(key) for key in (*_PARENTS, "lead_id", "project_id")):
        raise bad_request("At least one of deal_id, org_id, person_id, lead_id or project_id is required")
    _check(company, body)
    moment = _moment(body.get("add_time")) or company.clock.text()
    note = Note(company.notes.next_id, moment, moment, user_id=body.get("user_id", company.me.id))
    company.notes.add(note)
    _write(company, note, body)
    company.created("note", note)
    return answer(note_picture(note))


def _change(call: Call) -> Response:
    note = _the_note(call)
    _check(call.company, call.body)
    with call.company.editing("note", note):
        _unlink(call.company, note)
        _write(call.company, note, call.body)
    return answer(note_picture(note))


def _delete(call: Call) -> Response:
    note, company = _the_note(call), call.company
    company.delete("note", note)
    _unlink(company, note)
    return answer(True)


def _check(company: Company, body: Mapping[str, Any]) -> None:
    most, deal_id = company.settings.notes_per_deal, body.get("deal_id")
    if most is not None and deal_id and len(company.notes_of.get(("deal", deal_id), ())) >= most:
        raise bad_request("The deal holds no more notes")
    if len(body.get("content", "")) > company.settings.note_limit:
        raise bad_request("Note content is too long")
    if body.get("user_id") not in (None, company.me.id) and not company.me.is_admin:
        raise bad_request("body/user_id can be set by admins only")


def _write(company: Company, note: Note, body: Mapping[str, Any]) -> None:
    for key in (*_PARENTS, "user_id"):
        if key in body:
            setattr(note, key, body[key])
    if "content" in body:
        note.content = _HANDLER.sub("", _SCRIPT.sub("", body["content"]))
    note.pinned |= {what: body[key] in (1, True) for what in _PINS if (key := f"pinned_to_{what}_flag") in body}
    for key, entity in _PARENTS.items():
        parent = company.table(entity).get(getattr(note, key))
        if parent is not None:
            company.notes_of.setdefault((entity, parent.id), []).append(note.id)
            company.reindexed(entity, parent)


def _unlink(company: Company, note: Note) -> None:
    for key, entity in _PARENTS.items():
        parent_id = getattr(note, key)
        notes = company.notes_of.get((entity, parent_id), [])
        if note.id in notes:
            notes.remove(note.id)
            company.reindexed(entity, company.table(entity).rows[parent_id])


def _the_note(call: Call) -> Note:
    note = call.company.notes.get(call.ids[0])
    if note is None:
        raise v1_not_found("Note")
    return note


def _v1_moment(value: Any) -> str | None:
    return None if isinstance(value, str) and _moment(value) else "must match format YYYY-MM-DD HH:MM:SS"


def _moment(text: str | None) -> str | None:
    return parsed_moment(text) or parsed_moment(text.replace(" ", "T") + "Z") if text else None


_FLAG = checks.one_of(0, 1, True, False)
_KEYS: dict[str, checks.Check] = {
    "content": checks.filled_text,
    "lead_id": checks.nullable(checks.text),
    "project_id": checks.nullable(checks.record_id),
    **dict.fromkeys((*_PARENTS, "user_id"), checks.nullable(checks.record_id)),
    "add_time": _v1_moment,
    **{f"pinned_to_{what}_flag": _FLAG for what in (*_PINS, "lead", "project")},
}
_LIST: queries.Query = {
    **dict.fromkeys((*_PARENTS, "user_id"), queries.whole),
    "updated_since": queries.instant,
    "sort": queries.words,
    **queries.V1_PAGE,
}
ROUTES = [
    Route("GET", "/api/v1/notes", _list, 20, _LIST),
    Route("GET", "/api/v1/notes/{id}", _get, 2),
    Route("POST", "/api/v1/notes", _create, 10, body=Shape(_KEYS, ("content",))),
    Route("PUT", "/api/v1/notes/{id}", _change, 10, body=Shape(_KEYS)),
    Route("DELETE", "/api/v1/notes/{id}", _delete, 6),
]
