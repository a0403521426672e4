"""Deals: list, get, create, update, delete. The rules between their fields stand in `deal_changes.py`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipeline.sandbox.pipedrive import checks, deal_changes, filters, pictures, queries
from pipeline.sandbox.pipedrive.checks import nullable
from pipeline.sandbox.pipedrive.clock import parsed_moment, rfc3339
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.paging import listing, sort_moment
from pipeline.sandbox.pipedrive.refusals import Refused, frozen, invalid, not_found, plan_limit
from pipeline.sandbox.pipedrive.requests import Call, Route, Shape, answer, page
from pipeline.sandbox.pipedrive.rows import Deal
from pipeline.sandbox.wire import Response

DEAL_KEYS: dict[str, checks.Check] = {
    "title": checks.filled_text,
    "owner_id": checks.record_id,
    "person_id": nullable(checks.record_id),
    "org_id": nullable(checks.record_id),
    "pipeline_id": checks.record_id,
    "stage_id": checks.record_id,
    "value": checks.number,
    "currency": checks.currency,
    "is_deleted": checks.boolean,
    "is_archived": checks.boolean,
    "archive_time": nullable(checks.moment_or_sql),
    "status": checks.one_of("open", "won", "lost"),
    "probability": nullable(checks.percentage),
    "lost_reason": nullable(checks.text),
    "visible_to": checks.VISIBILITY,
    "close_time": nullable(checks.moment),
    "won_time": nullable(checks.moment),
    "lost_time": nullable(checks.moment),
    "expected_close_date": nullable(checks.day),
    "label_ids": checks.list_of(checks.integer),
}
_UNDECLARED_NULLS = ("probability", "lost_reason", "close_time", "won_time", "lost_time", "expected_close_date")
_INCLUDED = queries.choices(
    *(
        "next_activity_id last_activity_id first_won_time products_count files_count notes_count followers_count "
        "email_messages_count activities_count done_activities_count undone_activities_count participants_count "
        "last_incoming_mail_time last_outgoing_mail_time smart_bcc_email source_lead_id"
    ).split()
)
_ONE: queries.Query = {
    "include_fields": _INCLUDED,
    "custom_fields": queries.keys(15),
    "include_option_labels": queries.yes_no,
    "include_labels": queries.yes_no,
}
_LIST: queries.Query = {
    "filter_id": queries.whole,
    "ids": queries.whole_list(100),
    "owner_id": queries.whole,
    "person_id": queries.whole,
    "org_id": queries.whole,
    "pipeline_id": queries.whole,
    "stage_id": queries.whole,
    "status": queries.choices("open", "won", "lost", "deleted"),
    "updated_since": queries.instant,
    "updated_until": queries.instant,
    **_ONE,
    **queries.page("id", "update_time", "add_time"),
}
_ARCHIVED = {key: parse for key, parse in _LIST.items() if key not in ("include_option_labels", "include_labels")}
_EQUAL = ("owner_id", "person_id", "org_id", "pipeline_id", "stage_id")
_SORT = {"update_time": sort_moment, "add_time": lambda deal: deal.add_time}


def the_deal(call: Call, record_id: int) -> Deal:
    """The deal of that id, if it is still there."""
    deal = call.company.deals.rows.get(record_id)
    purged = deal is not None and deal.is_deleted and (deal.deleted_at or "") < call.company.purged_before()
    if deal is None or purged:
        raise not_found("Deal", call.company.settings.not_found_code)
    return deal


def editable_deal(call: Call, record_id: int) -> Deal:
    """The deal of that id, if it takes edits."""
    deal = the_deal(call, record_id)
    if deal.is_deleted or deal.is_archived:
        state = "A deleted deal" if deal.is_deleted else "An archived deal"
        raise frozen(call.company.settings.frozen_edit_status, state)
    return deal


def _shown(company: Company, deal: Deal, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
    shown = pictures.deal(company, deal, query or {})
    if company.settings.deal_nulls == "sent":
        return shown
    return {key: value for key, value in shown.items() if value is not None}


def _list(call: Call) -> Response:
    return _listed(call, archived=False)


def _list_archived(call: Call) -> Response:
    return _listed(call, archived=True)


def _listed(call: Call, *, archived: bool) -> Response:
    company = call.company
    keep = filters.deal_filter(call) if "filter_id" in call.query else _wanted(call)
    found, cursor = listing(
        call, company.deals.rows, _candidates(call), lambda deal: deal.is_archived == archived and keep(deal), _SORT
    )
    return page(call, [_shown(company, deal, call.query) for deal in found], cursor)


def _candidates(call: Call) -> Sequence[int]:
    query, company = call.query, call.company
    if "filter_id" in query:
        return company.deals.ids
    if "ids" in query:
        return sorted({record_id for record_id in query["ids"] if record_id in company.deals.rows})
    if "org_id" in query:
        return company.deals_of_org.get(query["org_id"], ())
    return company.deals.ids


def _wanted(call: Call) -> Callable[[Deal], bool]:
    """The query's filters as one test."""
    query, settings = call.query, call.company.settings
    since, until = query.get("updated_since"), query.get("updated_until")
    equal = [(key, query[key]) for key in _EQUAL if key in query]
    statuses = query.get("status")
    purged = call.company.purged_before()
    lag = settings.list_lag_seconds
    hidden_after = rfc3339(call.company.clock.now() - lag) if lag else None

    def keep(deal: Deal) -> bool:
        if deal.is_deleted:
            if statuses is None or "deleted" not in statuses or (deal.deleted_at or "") < purged:
                return False
        elif statuses is not None and deal.status not in statuses:
            return False
        if since is not None or until is not None:
            moment = deal.update_time or (deal.add_time if settings.fresh_in_updated_since else "")
            if (since is not None and moment < since) or (until is not None and moment >= until):
                return False
        if hidden_after is not None and deal.add_time > hidden_after:
            return False
        return all(getattr(deal, key) == value for key, value in equal)

    return keep


def _get(call: Call) -> Response:
    deal = the_deal(call, call.ids[0])
    if deal.is_deleted and call.company.settings.deleted_get == 404:
        raise not_found("Deal", call.company.settings.not_found_code)
    return answer(_shown(call.company, deal, call.query))


def _create(call: Call) -> Response:
    company, body = call.company, call.body
    add_time = _take_add_time(company, body)
    _check_texts(company, body)
    deal_changes.check(company, None, body)
    check_deal_cap(company)
    deal = new_deal(company, body)
    if add_time:
        deal.add_time = add_time
    return answer(_shown(company, deal))


def new_deal(company: Company, body: dict[str, Any]) -> Deal:
    """A deal with the defaults of the account, then the body's fields."""
    pipeline = company.pipelines.get(body.get("pipeline_id")) or company.default_pipeline()
    stage = company.first_stage(pipeline.id) if pipeline else None
    me = company.me.id
    deal = Deal(id=company.deals.next_id, add_time=company.clock.text(), owner_id=me, creator_user_id=me)
    deal.stage_id, deal.pipeline_id = (stage.id, stage.pipeline_id) if stage else (0, pipeline.id if pipeline else 0)
    deal.currency = company.currency
    company.deals_counted += 1
    deal_changes.apply(company, deal, body, is_new=True)
    company.deals.add(deal)
    link_to_org(company, deal, None)
    company.created("deal", deal)
    return deal


def link_to_org(company: Company, deal: Deal, before: int | None) -> None:
    """Keeps the list of an organization's deals."""
    if deal.org_id == before:
        return
    if before is not None:
        company.deals_of_org[before].remove(deal.id)
    if deal.org_id is not None:
        deals = company.deals_of_org.setdefault(deal.org_id, [])
        deals.append(deal.id)
        if len(deals) > 1 and deals[-2] > deal.id:
            deals.sort()


def check_deal_cap(company: Company) -> None:
    """Refuses one deal more than the plan holds; won and lost ones count, archived ones do not."""
    cap = company.settings.deal_cap
    if cap is not None and company.deals_counted >= cap:
        raise plan_limit("Couldn't add the deal. Open deals limit reached.", "feature_capping_deals_limit")


def _update(call: Call) -> Response:
    company, body = call.company, call.body
    deal = the_deal(call, call.ids[0])
    _take_add_time(company, body)
    _check_texts(company, body)
    restores = deal.is_deleted and body == {"is_deleted": False}
    alone = company.settings.unarchive == "with_edits" or len(body) == 1
    unarchives = deal.is_archived and not deal.is_deleted and body.get("is_archived") is False and alone
    if not restores and not unarchives:
        deal = editable_deal(call, deal.id)
    deal_changes.check(company, deal, body)
    if restores or unarchives:
        check_deal_cap(company)
    org_before = deal.org_id
    with company.editing("deal", deal):
        if restores:
            deal.is_deleted, deal.deleted_at = False, None
            company.deals_counted += not deal.is_archived
        deal_changes.apply(company, deal, body)
        link_to_org(company, deal, org_before)
    return answer(_shown(company, deal))


def _take_add_time(company: Company, body: dict[str, Any]) -> str | None:
    """Only an account that is set up so lets `add_time` pass the shape."""
    if "add_time" not in body:
        return None
    add_time = body.pop("add_time")
    if problem := checks.moment(add_time):
        raise invalid([f"add_time: {problem}"])
    return parsed_moment(add_time) if company.settings.deal_add_time == "taken" else None


def _check_texts(company: Company, body: dict[str, Any]) -> None:
    limit = company.settings.title_limit
    problems = []
    if limit is not None and len(body.get("title", "")) > limit:
        problems.append(f"title: must be at most {limit} characters")
    if not company.settings.null_clears:
        problems += [f"{key}: must not be null" for key in _UNDECLARED_NULLS if key in body and body[key] is None]
    if problems:
        raise invalid(problems)


def _delete(call: Call) -> Response:
    deal = the_deal(call, call.ids[0])
    if deal.is_deleted:
        raise gone(call, "Deal", deal.id)
    call.company.delete("deal", deal)
    return answer({"id": deal.id})


def gone(call: Call, what: str, record_id: int) -> Refused:
    """The answer to a second DELETE."""
    if call.company.settings.second_delete == 410:
        return Refused(410, {"success": True, "data": {"id": record_id}})
    return not_found(what, call.company.settings.not_found_code)


class _DealShape(Shape):
    """A deal's body; `add_time` is unknown to it unless the account is set up otherwise."""

    def problems(self, company: Company, body: Any, prefix: str = "") -> list[str]:
        keys = self.keys
        if company.settings.deal_add_time != "refused":
            keys = {**keys, "add_time": checks.moment}
        return Shape(keys, self.required, self.entity).problems(company, body, prefix)


ROUTES = [
    Route("GET", "/api/v2/deals", _list, 10, _LIST),
    Route("GET", "/api/v2/deals/archived", _list_archived, 20, _ARCHIVED),
    Route("GET", "/api/v2/deals/{id}", _get, 1, _ONE),
    Route("POST", "/api/v2/deals", _create, 5, body=_DealShape(DEAL_KEYS, ("title",), "deal")),
    Route("PATCH", "/api/v2/deals/{id}", _update, 5, body=_DealShape(DEAL_KEYS, (), "deal")),
    Route("DELETE", "/api/v2/deals/{id}", _delete, 3),
]
