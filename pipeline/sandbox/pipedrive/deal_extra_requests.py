"""What else can be done with a deal: discounts on the whole of it, and v1's merge and duplicate."""

import uuid
from copy import copy
from dataclasses import replace
from typing import Any

from pipeline.sandbox.pipedrive import checks, pictures
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.deal_requests import check_deal_cap, editable_deal, link_to_org, the_deal
from pipeline.sandbox.pipedrive.merging import merge_deals
from pipeline.sandbox.pipedrive.refusals import bad_request, invalid, not_found, v1_not_found
from pipeline.sandbox.pipedrive.requests import Call, Route, Shape, answer
from pipeline.sandbox.pipedrive.rows import Deal
from pipeline.sandbox.pipedrive.v1_pictures import as_v1
from pipeline.sandbox.wire import Response


def _discounts(call: Call) -> Response:
    return answer(the_deal(call, call.ids[0]).discounts)


def _add_discount(call: Call) -> Response:
    deal, now = editable_deal(call, call.ids[0]), call.company.clock.text()
    _check_amount(call.body)
    discount = {"id": str(uuid.uuid4()), "deal_id": deal.id, "created_at": now, "created_by": call.company.me.id}
    discount |= {"updated_at": now, "updated_by": call.company.me.id, **call.body}
    deal.discounts.append(discount)
    call.company.lines_changed(deal)
    return answer(discount, status=201)


def _change_discount(call: Call) -> Response:
    deal, discount = _the_discount(call)
    _check_amount(discount | call.body)
    discount |= call.body
    discount["updated_at"] = call.company.clock.text()
    call.company.lines_changed(deal)
    return answer(discount)


def _delete_discount(call: Call) -> Response:
    deal, discount = _the_discount(call)
    deal.discounts.remove(discount)
    call.company.lines_changed(deal)
    return answer({"id": discount["id"]})


def _the_discount(call: Call) -> tuple[Deal, dict[str, Any]]:
    deal = editable_deal(call, call.ids[0])
    discount = next((discount for discount in deal.discounts if discount["id"] == call.ids[1]), None)
    if discount is None:
        raise not_found("Discount", call.company.settings.not_found_code)
    return deal, discount


def _check_amount(discount: dict[str, Any]) -> None:
    if discount["amount"] <= 0 or (discount["type"] == "percentage" and discount["amount"] > 100):
        raise invalid(["amount: is out of range"])


def _merge(call: Call) -> Response:
    source, target = _v1_deal(call, call.ids[0]), _v1_deal(call, call.body["merge_with_id"])
    if source is target:
        raise bad_request("Cannot merge a deal with itself")
    if source.is_archived or target.is_archived:
        raise bad_request("Archived deals cannot be merged")
    merge_deals(call.company, source, target)
    call.company.settle()
    return answer(_v1_picture(call.company, target) | {"merge_what_id": source.id})


def _duplicate(call: Call) -> Response:
    company, deal = call.company, _v1_deal(call, call.ids[0])
    check_deal_cap(company)
    now = company.clock.text()
    twin = replace(
        deal, id=company.deals.next_id, add_time=now, update_time=None, custom=dict(deal.custom), is_archived=False,
        archive_time=None, label_ids=list(deal.label_ids), lines=[], discounts=[],
    )  # fmt: skip
    for line in deal.lines:
        again = copy(line)
        again.id, again.deal_id, again.add_time, again.update_time = company.lines.next_id, twin.id, now, now
        company.lines.next_id += 1
        company.lines.rows[again.id] = again
        twin.lines.append(again)
    company.deals.add(twin)
    company.deals_counted += 1
    link_to_org(company, twin, None)
    company.created("deal", twin)
    return answer(_v1_picture(company, twin))


def _v1_deal(call: Call, deal_id: int) -> Deal:
    deal = call.company.deals.get(deal_id)
    if deal is None:
        raise v1_not_found("Deal")
    return deal


def _v1_picture(company: Company, deal: Deal) -> dict[str, Any]:
    return as_v1("deal", pictures.deal(company, deal), company.fields.of("deal"))


_DISCOUNT: dict[str, checks.Check] = {
    "description": checks.filled_text,
    "amount": checks.number,
    "type": checks.one_of("percentage", "amount"),
}
_DISCOUNTS = "/api/v2/deals/{id}/discounts"
_MERGE = Shape({"merge_with_id": checks.record_id}, ("merge_with_id",))
ROUTES = [
    Route("GET", _DISCOUNTS, _discounts, 10),
    Route("POST", _DISCOUNTS, _add_discount, 5, body=Shape(_DISCOUNT, tuple(_DISCOUNT))),
    Route("PATCH", f"{_DISCOUNTS}/{{code}}", _change_discount, 5, body=Shape(_DISCOUNT)),
    Route("DELETE", f"{_DISCOUNTS}/{{code}}", _delete_discount, 3),
    Route("PUT", "/api/v1/deals/{id}/merge", _merge, 40, body=_MERGE),
    Route("POST", "/api/v1/deals/{id}/duplicate", _duplicate, 10),
]
