"""Invoices and payments on their way to "Betaalstatus": what is paid, credited or late in the ERP shows on deals."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, text

from pipeline.exact_online import feeds
from pipeline.sandbox.company import seeded_company
from pipeline.sandbox.company_papers import Receivable
from pipeline.sandbox.company_rows import Order
from pipeline.steps import refresh_crm, refresh_invoices
from pipeline.steps.invoices import land_payment_terms, land_sales_invoices
from pipeline.steps.landing import land_order_changes
from pipeline.steps.open_terms import compare_open_terms
from pipeline.steps.order_payments import queue_what_falls_due
from pipeline.warehouse import memory
from pipeline_tests.payments_in_the_books import payments_in_the_books
from pipeline_tests.world import World
from pipeline_tests.worlds import Worlds, first_sync

TERMS_LATER = """
UPDATE erp.receivables AS term SET due_date = term.due_date + :days FROM erp.invoices AS invoice
JOIN erp.invoice_orders AS billed USING (administration, invoice_id)
WHERE billed.order_id = :key AND term.invoice_number = invoice.invoice_number
"""


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine, company=seeded_company(orders=20, products=20))


@pytest.fixture
def synced(worlds: Worlds) -> Iterator[World]:
    with worlds.after(first_sync(orders=20, products=20)) as world:
        yield world


def an_order(world: World) -> Order:
    """A new order of four of something."""
    books = world.company
    return books.place_order(next(iter(books.accounts)).id, [(next(iter(books.items)).id, 4, 25.0)])


def shown(world: World, order: Order) -> str | None:
    return world.deals()[order.id]["custom_fields"]["Betaalstatus"]


def change(world: World, kind: str, order: Order, **more: object) -> None:
    world.control_exact("change", {"kind": kind, "order": order.number, **more})


def invoiced(world: World, share: float = 1) -> Order:
    """An order that was delivered and invoiced today, and so is due in some weeks."""
    order = an_order(world)
    change(world, "deliver", order)
    change(world, "invoice", order, share=share)
    return order


def owed(world: World, order: Order) -> Receivable:
    return next(row for row in world.company.receivables if row.invoice.order is order and row.paid_on is None)


def new_requests(world: World, before: dict[str, int]) -> dict[str, int]:
    return {name: times - before.get(name, 0) for name, times in world.requests().items() if times != before.get(name)}


def test_the_first_load_shows_how_each_order_was_paid(synced: World):
    deals, payments = synced.deals(), payments_in_the_books(synced.company)
    found = {key: deal["custom_fields"]["Betaalstatus"] for key, deal in deals.items()}
    assert found == {key: payments.get(key) for key in synced.company.orders.rows}
    assert set(found.values()) >= {None, "Betaald"}


def test_a_quiet_synchronisation_asks_for_both_feeds_once(synced: World):
    calls, asked = dict(synced.exact.calls), synced.requests()
    synced.sync()
    new = {name: times - calls.get(name, 0) for name, times in synced.exact.calls.items() if times != calls.get(name)}
    assert (new["sync/SalesInvoice/SalesInvoices"], new["sync/Cashflow/PaymentTerms"]) == (1, 1)
    assert set(new.values()) == {1}
    assert synced.requests() == asked


def test_an_invoice_then_a_part_then_the_rest(synced: World):
    order = invoiced(synced)
    synced.sync()
    assert shown(synced, order) == "Open"
    change(synced, "pay", order, amount=10)
    synced.sync()
    assert shown(synced, order) == "Deels betaald"
    change(synced, "pay", order)
    synced.sync()
    assert shown(synced, order) == "Betaald"


def test_a_payment_alone_costs_one_request_with_one_field(synced: World):
    order = invoiced(synced)
    synced.sync()
    before = synced.requests()
    change(synced, "pay", order)
    report = synced.sync()
    assert new_requests(synced, before) == {"PATCH /api/v2/deals/{id}": 1, "PATCH /api/v2/organizations/{id}": 1}
    assert report.tokens == 10  # "Betaalstatus" of the deal, "Openstaand" of its organization
    assert report.tallies["deals"].updated == 1


def test_only_the_payment_status_is_sent_when_only_the_payment_changed(synced: World):
    order = invoiced(synced)
    synced.sync()
    change(synced, "pay", order)
    synced.land()
    synced.refresh()
    waiting = synced.ask("SELECT key FROM state.pending WHERE stage = 'pipedrive/deals'")
    assert [row.key for row in waiting] == [order.id]
    [deal] = synced.ask("SELECT payment_status, is_live FROM crm.deals WHERE order_id = :key", key=order.id)
    assert tuple(deal) == ("paid", True)


def test_an_order_without_an_invoice_shows_nothing(synced: World):
    statuses = synced.ask(
        "SELECT DISTINCT payment_status FROM crm.deals WHERE order_id NOT IN (SELECT order_id FROM erp.invoice_orders)"
    )
    assert [row.payment_status for row in statuses] == [None]


def test_a_credit_note_over_all_leaves_nothing_open(synced: World):
    order = invoiced(synced)
    synced.sync()
    change(synced, "reopen", order)
    synced.sync()
    kinds = synced.ask("SELECT kind FROM erp.invoices JOIN erp.invoice_orders USING (invoice_id) "
                       "WHERE order_id = :key ORDER BY kind", key=order.id)  # fmt: skip
    assert [row.kind for row in kinds] == ["credit", "invoice"]
    assert shown(synced, order) == "Betaald"


def test_an_order_with_three_invoices_is_paid_when_all_are(synced: World):
    order = an_order(synced)
    change(synced, "deliver", order)
    for share in (0.25, 0.5, 1):
        change(synced, "invoice", order, share=share)
    synced.sync()
    [row] = synced.ask("SELECT count(*) AS invoices FROM erp.invoice_orders WHERE order_id = :key", key=order.id)
    assert (row.invoices, shown(synced, order)) == (3, "Open")
    for status in ("Deels betaald", "Deels betaald", "Betaald"):
        change(synced, "pay", order)
        synced.sync()
        assert shown(synced, order) == status


def test_an_invoice_for_two_orders_counts_for_both(synced: World):
    first, second = invoiced(synced), invoiced(synced)
    books = synced.company
    bill, other = books.invoices_of[first.id][0], books.invoices_of[second.id][0]
    books.delete("receivables", owed(synced, second).id)
    books.delete("invoices", other.id)
    for line in other.lines:
        line.invoice = replace(bill, order=second)
        books.touch("invoice_lines", line)
    synced.sync()
    assert (shown(synced, first), shown(synced, second)) == ("Open", "Open")
    change(synced, "pay", first)
    synced.sync()
    assert (shown(synced, first), shown(synced, second)) == ("Betaald", "Betaald")


def test_a_customer_who_pays_too_much_has_paid(synced: World):
    order = invoiced(synced)
    term = owed(synced, order)
    change(synced, "pay", order, amount=term.amount + 10)
    synced.sync()
    [row] = synced.ask("SELECT sum(amount) AS amount FROM erp.receivables WHERE invoice_number = :number",
                       number=str(term.invoice.number))  # fmt: skip
    assert (row.amount, shown(synced, order)) == (-10, "Betaald")


def test_an_invoice_that_is_deleted_is_known_no_more(synced: World):
    order = invoiced(synced)
    synced.sync()
    invoice, term = synced.company.invoices_of[order.id][0], owed(synced, order)
    for table, key in (("receivables", term.id), ("invoices", invoice.id)):
        synced.control_exact("change", {"kind": "delete_row", "table": table, "id": key})
    synced.sync()
    assert shown(synced, order) is None
    assert synced.ask("SELECT 1 FROM erp.receivables WHERE receivable_id = :key", key=term.id) == []


def test_an_invoice_may_be_known_before_its_order(world: World):
    order = invoiced(world)
    land_sales_invoices(world.engine, world.client, world.config.administrations[0], months=12)
    refresh_invoices.refresh_invoices(world.engine, world.config.administrations[0])
    refresh_invoices.refresh_invoice_orders(world.engine, world.config.administrations[0])
    refresh_crm.refresh_deals(world.engine, world.config)
    assert world.ask("SELECT 1 FROM crm.deals") == []
    world.sync()
    assert shown(world, order) == "Open"


def test_nothing_is_owed_for_a_draft(synced: World):
    order = invoiced(synced)
    invoice = synced.company.invoices_of[order.id][0]
    synced.company.change("invoices", invoice.id, status=20, number=None)
    synced.sync()
    assert shown(synced, order) is None
    synced.company.change("invoices", invoice.id, status=50, number=26_799_999)
    synced.sync()
    assert shown(synced, order) == "Open"


def test_another_currency_is_paid_like_any(synced: World):
    order = an_order(synced)
    synced.company.change_order(order.id, currency="USD", rate=0.9)
    for kind in ("deliver", "invoice"):
        change(synced, kind, order)
    synced.sync()
    term = owed(synced, order)
    [row] = synced.ask(
        "SELECT currency, amount, amount_home FROM erp.receivables WHERE receivable_id = :key", key=term.id
    )
    assert (row.currency, float(row.amount)) == ("USD", pytest.approx(term.amount))
    assert float(row.amount_home) == pytest.approx(term.amount * 0.9, abs=0.01)
    assert shown(synced, order) == "Open"
    change(synced, "pay", order)
    synced.sync()
    assert shown(synced, order) == "Betaald"


def test_a_day_that_passes_makes_deals_late_and_scans_no_history(synced: World):
    order = invoiced(synced)
    synced.sync()
    due = synced.company.invoices_of[order.id][0].due_date
    for today, status, waiting in ((due, "open", 0), (due + timedelta(days=1), "late", 1)):
        refresh_crm.refresh_deals(synced.engine, synced.config, today=today)
        [deal] = synced.ask("SELECT payment_status FROM crm.deals WHERE order_id = :key", key=order.id)
        assert deal.payment_status == status
        queued = synced.ask("SELECT 1 FROM state.pending WHERE stage = 'pipedrive/deals' AND key = :key", key=order.id)
        assert len(queued) == waiting
    synced.write()
    assert shown(synced, order) == "Te laat"


def test_a_second_look_on_the_same_day_decides_nothing_anew_and_a_term_falls_due_by_itself(synced: World):
    order = invoiced(synced)
    synced.sync()
    late = synced.company.invoices_of[order.id][0].due_date + timedelta(days=1)
    refresh_crm.refresh_deals(synced.engine, synced.config, today=late)
    waits = "SELECT 1 FROM state.pending WHERE stage = 'crm/deals' AND key = :key"
    with synced.engine.begin() as tx:
        queue_what_falls_due(tx, "nl", today=late)
    assert synced.ask("SELECT 1 FROM state.pending WHERE stage = 'crm/deals'") == []
    with synced.engine.begin() as tx:
        tx.execute(text(TERMS_LATER), {"key": order.id, "days": 10})
        queue_what_falls_due(tx, "nl", today=late + timedelta(days=9))
    assert synced.ask(waits, key=order.id) == []
    with synced.engine.begin() as tx:
        queue_what_falls_due(tx, "nl", today=late + timedelta(days=10))
    assert len(synced.ask(waits, key=order.id)) == 1


@pytest.mark.parametrize("negative", [False, True])
def test_what_is_owed_is_above_zero_whichever_sign_exact_writes(engine: Engine, negative: bool):
    world = World(engine, company=seeded_company(orders=20, products=20), erp={"receivables_are_negative": negative})
    world.sync()
    owed_there = sum(row.amount for row in world.company.receivables if row.paid_on is None)
    [row] = world.ask("SELECT sum(amount) AS amount FROM erp.receivables")
    assert float(row.amount) == pytest.approx(owed_there)


def test_what_we_owe_to_others_does_not_land(synced: World):
    assert not feeds.PAYMENT_TERMS.lands({"LineType": 22})
    assert [row.line_type for row in synced.ask("SELECT DISTINCT line_type FROM exact_online.payment_terms")] == [20]


def test_the_poll_of_orders_reads_invoices_when_one_was_made_and_else_not(synced: World):
    order = invoiced(synced)
    administration = synced.config.administrations[0]

    def read() -> int:
        invoices = land_sales_invoices(synced.engine, synced.client, administration, months=12, only_when_asked=True)
        return invoices.calls + land_payment_terms(synced.engine, synced.client, "nl", only_when_asked=True).calls

    assert read() == 0
    land_order_changes(synced.engine, synced.client, administration)
    assert read() == 2
    synced.refresh()
    assert read() == 0
    synced.write()
    assert shown(synced, order) == "Open"


def test_months_of_earlier_years_bring_their_invoices(synced: World):
    calls = synced.exact.calls["read/sync/Sync/SyncTimestamp"]
    with synced.engine.begin() as tx:
        memory.note_landed(tx, [{"administration": "nl", "month": date(2019, 1, 1), "orders": 0, "lines": 0}])
    synced.land()
    assert synced.exact.calls["read/sync/Sync/SyncTimestamp"] == calls + 1
    synced.land()
    assert synced.exact.calls["read/sync/Sync/SyncTimestamp"] == calls + 1


def test_a_payment_that_no_feed_told_of_is_found_at_night(synced: World):
    order, other = invoiced(synced), invoiced(synced)
    synced.sync()
    term, gone = owed(synced, order), owed(synced, other)
    synced.company.receivables.rows[term.id].paid_on = synced.company.clock.today  # with no new row version
    synced.company.receivables.remove(gone.id)  # and with no entry among the deletions
    found = compare_open_terms(synced.engine, synced.client, "nl")
    assert (found.corrected, found.gone, found.calls) == (1, 1, 2)
    synced.sync()
    assert shown(synced, order) == "Betaald"
    assert synced.ask("SELECT 1 FROM erp.receivables WHERE receivable_id = :key", key=gone.id) == []


def test_a_night_on_which_nothing_was_missed_takes_one_call_and_changes_nothing(synced: World):
    found = compare_open_terms(synced.engine, synced.client, "nl")
    assert found.open == sum(row.paid_on is None for row in synced.company.receivables)
    assert (found.corrected, found.gone, found.calls) == (0, 0, 1)
    assert synced.ask("SELECT 1 FROM state.pending") == []


def test_before_the_first_reading_there_is_nothing_to_compare(world: World):
    assert compare_open_terms(world.engine, world.client, "nl").calls == 0
