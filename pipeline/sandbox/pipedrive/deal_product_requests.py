"""The product lines of deals: list, attach, change, detach. What they add up to stands in `deal_value.py`."""

from typing import Any

from pipeline.sandbox.pipedrive import checks, deal_value, pictures, queries
from pipeline.sandbox.pipedrive.checks import nullable
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.deal_requests import editable_deal, the_deal
from pipeline.sandbox.pipedrive.paging import listing
from pipeline.sandbox.pipedrive.refusals import forbidden, invalid, not_found
from pipeline.sandbox.pipedrive.requests import Call, Route, Shape, answer, page
from pipeline.sandbox.pipedrive.rows import Deal, DealProduct
from pipeline.sandbox.wire import Response

_MOST = 100
_MOST_RECURRING = 20
_BILLING_YEARS = 10
HIGHEST_AMOUNT = 1e12
FREQUENCIES = ("one-time", "weekly", "monthly", "quarterly", "semi-annually", "annually")
LINE_KEYS: dict[str, checks.Check] = {
    "product_id": checks.record_id,
    "item_price": checks.number,
    "quantity": checks.number,
    "tax": checks.percentage,
    "comments": checks.text,
    "discount": checks.number,
    "discount_type": checks.one_of("percentage", "amount"),
    "is_enabled": checks.boolean,
    "tax_method": checks.one_of("exclusive", "inclusive", "none"),
    "product_variation_id": nullable(checks.record_id),
    "billing_frequency": checks.one_of(*FREQUENCIES),
    "billing_frequency_cycles": nullable(checks.record_id),
    "billing_start_date": nullable(checks.day),
}
_LINE = Shape(LINE_KEYS, required=("product_id", "item_price", "quantity"))
_CHANGE = Shape(LINE_KEYS)


def _rows_problem(value: Any) -> str | None:
    return None if isinstance(value, list) and 0 < len(value) <= _MOST else f"must be an array of 1 to {_MOST} items"


_BULK = Shape({"data": _rows_problem}, required=("data",))
_SORT = {
    "add_time": lambda line: line.add_time,
    "update_time": lambda line: line.update_time,
    "deal_id": lambda line: line.deal_id,
}


def _list(call: Call) -> Response:
    deal = the_deal(call, call.ids[0])
    return _listed(call, [deal])


def _list_of_deals(call: Call) -> Response:
    if "deal_ids" not in call.query:
        raise invalid(["deal_ids: Parameter 'deal_ids' is required"])
    known = (call.company.deals.get(deal_id) for deal_id in sorted(set(call.query["deal_ids"])))
    return _listed(call, [deal for deal in known if deal is not None])


def _listed(call: Call, deals: list[Deal]) -> Response:
    places = {line.id: (deal, place) for deal in deals for place, line in enumerate(deal.lines, start=1)}
    sort = _SORT | {"order_nr": lambda line: places[line.id][1]}
    found, cursor = listing(call, call.company.lines.rows, sorted(places), lambda line: True, sort)
    shown = [pictures.deal_product(*places[line.id], line) for line in found]
    return page(call, shown, cursor)


def _attach(call: Call) -> Response:
    deal = _open_to_lines(call)
    if problems := _line_problems(call.company, deal, call.body, ""):
        raise invalid(problems)
    line = _add_line(call.company, deal, call.body)
    return answer(pictures.deal_product(deal, len(deal.lines), line), status=201)


def _attach_many(call: Call) -> Response:
    deal, company, rows = _open_to_lines(call), call.company, call.body["data"]
    good, problems = [], []
    for place, row in enumerate(rows):
        found = _LINE.problems(company, row, f"data[{place}].")
        found = found or _line_problems(company, deal, row, f"data[{place}].", more=place)
        problems += found
        if not problems:
            good.append(row)
    if problems and company.settings.bulk_is_atomic:
        raise invalid(problems)
    first = len(deal.lines) + 1
    added = [_add_line(company, deal, row, revalue=False) for row in good]
    if added:
        company.lines_changed(deal)
    if problems:
        raise invalid(problems)
    shown = [pictures.deal_product(deal, place, line) for place, line in enumerate(added, start=first)]
    return answer(shown, status=201)


def _change(call: Call) -> Response:
    deal = _open_to_lines(call)
    line = _the_line(call, deal)
    if problems := _line_problems(call.company, deal, call.body, "", line=line):
        raise invalid(problems)
    before = pictures.deal_product(deal, deal.lines.index(line) + 1, line)
    _write(call.company, deal, line, call.body)
    line.update_time = call.company.clock.text()
    call.company.lines_changed(deal)
    call.company.line_changed("change", line, before)
    return answer(pictures.deal_product(deal, deal.lines.index(line) + 1, line))


def _detach(call: Call) -> Response:
    deal = _open_to_lines(call)
    line = _the_line(call, deal)
    remove_lines(call.company, deal, {line.id})
    return answer({"id": line.id})


def _detach_many(call: Call) -> Response:
    deal = _open_to_lines(call)
    mine = [line.id for line in deal.lines]
    asked = set(call.query.get("ids", mine[:_MOST]))
    leaving = [line_id for line_id in mine if line_id in asked]
    remove_lines(call.company, deal, set(leaving))
    more = bool(deal.lines) and "ids" not in call.query
    return answer({"ids": leaving}, {"more_items_in_collection": more})


def remove_lines(company: Company, deal: Deal, leaving: set[int]) -> None:
    """Takes lines off a deal; the others keep their order and close ranks."""
    gone = [
        (line, pictures.deal_product(deal, place, line))
        for place, line in enumerate(deal.lines, start=1)
        if line.id in leaving
    ]
    deal.lines = [line for line in deal.lines if line.id not in leaving]
    for line, before in gone:
        del company.lines.rows[line.id]
        company.line_changed("delete", line, before)
    if leaving:
        company.lines_changed(deal)


def _open_to_lines(call: Call) -> Deal:
    settings, deal = call.company.settings, the_deal(call, call.ids[0])
    if deal.is_deleted or (deal.is_archived and not settings.products_on_archived_deals):
        editable_deal(call, deal.id)
    if deal.status == "won" and not settings.products_on_won_deals:
        raise forbidden("Products of a won deal cannot be changed")
    return deal


def _the_line(call: Call, deal: Deal) -> DealProduct:
    line = call.company.lines.rows.get(call.ids[1])
    if line is None or line.deal_id != deal.id:
        raise not_found("Deal product", call.company.settings.not_found_code)
    return line


def _line_problems(
    company: Company, deal: Deal, body: dict[str, Any], prefix: str, *, line: DealProduct | None = None, more: int = 0
) -> list[str]:
    problems = _amount_problems(company, body, line)
    product = company.products.get(body.get("product_id"))
    if product is not None and not product.is_linkable:
        problems.append(f"product_id: Product {product.id} cannot be added to deals")
    limit = company.settings.products_per_deal
    if line is None and limit is not None and len(deal.lines) + more >= limit:
        problems.append(f"product_id: a deal holds at most {limit} products")
    problems += _variation_problems(company, body, line)
    if any(key.startswith("billing_") for key in body):
        problems += _billing_problems(company, deal, body, line)
    return [prefix + problem for problem in problems]


def _amount_problems(company: Company, body: dict[str, Any], line: DealProduct | None) -> list[str]:
    settings, problems = company.settings, []
    quantity = body.get("quantity", line.quantity if line else 0)
    price = body.get("item_price", line.item_price if line else 0)
    if quantity < 0 and not settings.negative_quantity:
        problems.append("quantity: must be greater than or equal to 0")
    if abs(quantity * price) > HIGHEST_AMOUNT:
        problems.append("item_price: the amount is too high")
    discount = body.get("discount", line.discount if line else 0)
    kind = body.get("discount_type", line.discount_type if line else "percentage")
    if discount < 0 or discount > (100 if kind == "percentage" else HIGHEST_AMOUNT):
        problems.append("discount: is out of range")
    limit = settings.comments_limit
    if limit is not None and len(body.get("comments", "")) > limit:
        problems.append(f"comments: must be at most {limit} characters")
    return problems


def _variation_problems(company: Company, body: dict[str, Any], line: DealProduct | None) -> list[str]:
    wanted = body.get("product_variation_id")
    if wanted is None:
        return []
    product = company.products.get(body.get("product_id", line.product_id if line else None))
    known = {variation["id"] for variation in product.variations} if product else set()
    return [] if wanted in known else [f"product_variation_id: Product variation {wanted} not found"]


def _billing_problems(company: Company, deal: Deal, body: dict[str, Any], line: DealProduct | None) -> list[str]:
    frequency = body.get("billing_frequency", line.billing_frequency if line else "one-time")
    cycles = body.get("billing_frequency_cycles", line.billing_frequency_cycles if line else None)
    recurring = sum(other.billing_frequency != "one-time" for other in deal.lines if other is not line)
    problems = []
    if frequency != "one-time" and not company.settings.recurring_revenue:
        problems.append("billing_frequency: recurring products are not part of this plan")
    if not company.clock.is_near(body.get("billing_start_date"), years=_BILLING_YEARS):
        problems.append(f"billing_start_date: must be within {_BILLING_YEARS} years")
    if frequency == "one-time" and body.get("billing_frequency_cycles") is not None:
        problems.append("billing_frequency_cycles: must be null for one-time products")
    if frequency == "weekly" and cycles is None:
        problems.append("billing_frequency_cycles: is required for weekly products")
    if cycles is not None and cycles > 208:
        problems.append("billing_frequency_cycles: must be at most 208")
    if frequency != "one-time" and recurring >= _MOST_RECURRING:
        problems.append(f"billing_frequency: a deal holds at most {_MOST_RECURRING} recurring products")
    return problems


def _add_line(company: Company, deal: Deal, body: dict[str, Any], *, revalue: bool = True) -> DealProduct:
    now, product = company.clock.text(), company.products.rows[body["product_id"]]
    line = DealProduct(
        company.lines.next_id, deal.id, product.id, product.name, body["quantity"], body["item_price"], now, now
    )
    line.tax_method = deal.lines[0].tax_method if deal.lines else line.tax_method
    company.lines.next_id += 1
    deal.lines.append(line)
    company.lines.rows[line.id] = line
    _write(company, deal, line, body)
    company.line_changed("create", line)
    if revalue:
        company.lines_changed(deal)
    return line


def _write(company: Company, deal: Deal, line: DealProduct, body: dict[str, Any]) -> None:
    for key, value in body.items():
        setattr(line, key, value)
    if "product_id" in body:
        line.name = company.products.rows[body["product_id"]].name
    if body.get("billing_frequency") == "one-time":
        line.billing_frequency_cycles = None
    deal_value.price_line(line, company.settings)
    other = deal.lines[0] if deal.lines[0] is not line else deal.lines[-1]
    if other.tax_method != line.tax_method:
        _spread_tax_method(company, deal, line.tax_method)


def _spread_tax_method(company: Company, deal: Deal, tax_method: str) -> None:
    """One tax method holds for the whole deal: a row that changes it changes all."""
    for line in deal.lines:
        line.tax_method = tax_method
        deal_value.price_line(line, company.settings)


def _bulk_delete_cost(company: Company) -> int:
    return company.settings.bulk_delete_cost


_PAGE = queries.page("id", "add_time", "update_time", "order_nr")
_PAGE_OF_DEALS = {
    "deal_ids": queries.whole_list(100),
    **queries.page("id", "add_time", "update_time", "order_nr", "deal_id"),
}
_PATH = "/api/v2/deals/{id}/products"
ROUTES = [
    Route("GET", _PATH, _list, 10, _PAGE),
    Route("GET", "/api/v2/deals/products", _list_of_deals, 10, _PAGE_OF_DEALS),
    Route("POST", _PATH, _attach, 5, body=_LINE),
    Route("POST", f"{_PATH}/bulk", _attach_many, 25, body=_BULK),
    Route("PATCH", f"{_PATH}/{{id}}", _change, 5, body=_CHANGE),
    Route("DELETE", f"{_PATH}/{{id}}", _detach, 3),
    Route("DELETE", _PATH, _detach_many, _bulk_delete_cost, {"ids": queries.whole_list(_MOST)}),
]
