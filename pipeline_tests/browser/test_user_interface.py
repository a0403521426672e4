"""What a person does in Dagster's user interface, and what then stands in the simulated Pipedrive.

With PIPELINE_PICTURES=1 in the environment these tests also make the pictures of the README, in docs/pictures.
"""

import os
from contextlib import suppress
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Page, TimeoutError, expect

from pipeline.config import PROJECT_FOLDER
from pipeline_tests.browser.stack import Stack, until

pytestmark = pytest.mark.browser

PICTURES = PROJECT_FOLDER / "docs" / "pictures"
ADMINISTRATION = "nl"
ATTEMPT = 5000  # milliseconds
REVENUE = "marts/revenue_per_category"
GROUPS = ("exact_online", "erp", "crm", "pipedrive", "marts")


def test_a_job_is_launched_for_one_administration(page: Page, stack: Stack):
    page.goto(f"{stack.interface}/locations/pipeline/jobs/catalogue_delta")
    page.get_by_role("button", name="Materialize all").click()
    # Dagster warns as long as no month of history has landed; the job needs none.
    confirm, dialog = (
        page.get_by_role("button", name="Confirm"),
        page.get_by_role("dialog").filter(has_text="Launch runs"),
    )
    expect(confirm.or_(dialog.get_by_text("Partition selection"))).to_be_visible()
    if confirm.is_visible():
        confirm.click()
    choose(page, dialog, ADMINISTRATION)
    dialog.get_by_role("button", name="Launch").click()
    run = until("a run that was launched by hand", lambda: stack.launched("catalogue_delta"))
    until("its success", lambda: stack.succeeded(run))
    assert stack.rows("SELECT FROM erp.customers")
    assert stack.rows("SELECT FROM erp.products")
    page.goto(f"{stack.interface}/runs/{run}")
    expect(page.get_by_text("Success").first).to_be_visible()
    picture(page, "run")


def test_months_of_history_backfilled_by_hand_become_deals_and_a_chart(page: Page, stack: Stack):
    stack.know_the_customers()
    months = two_months()
    page.goto(f"{stack.interface}/assets/exact_online/order_history")
    page.get_by_role("button", name="Materialize").first.click()
    dialog = page.get_by_role("dialog").filter(has_text="Launch runs")
    choose(page, dialog, ADMINISTRATION)
    dialog.get_by_placeholder("ex: ").fill(f"[{months[0]:%Y-%m}...{months[1]:%Y-%m}]")
    dialog.get_by_placeholder("ex: ").press("Enter")
    dialog.get_by_role("button", name="Launch backfill").click()
    backfill = until("the backfill", stack.last_backfill)
    until("its end", lambda: stack.has_ended(backfill))
    landed = {row.month: row.orders for row in stack.rows("SELECT month, orders FROM state.landed_months")}
    assert set(landed) == set(months)
    assert all(landed.values())
    page.goto(f"{stack.interface}/runs/b/{backfill}")
    expect(page.get_by_text("100% completed")).to_be_visible()
    picture(page, "backfill")
    # Nobody asked for the rest: the sensor history_landed, or the next poll, takes it to Pipedrive.
    expected = {str(row.order_number) for row in stack.rows("SELECT order_number FROM exact_online.order_history")}
    until("their deals in Pipedrive", lambda: expected <= stack.orders_with_a_deal())
    until("the end of what the sensor began", stack.is_idle)
    page.goto(f"{stack.interface}/assets/{REVENUE}")
    for said in ("finance", "Order value without VAT by month and item group", "nl in Exact Online"):
        expect(page.get_by_text(said).first).to_be_visible()
    drawn, link = page.get_by_text("[Show Markdown]"), page.get_by_role("link", name="the chart")
    expect(drawn.or_(link)).to_be_visible()
    if link.is_visible():  # a later run changed nothing, and leads to the one that drew it
        link.click()
    drawn.click()
    expect(page.locator('img[src^="data:image/svg+xml"]').first).to_be_visible()
    picture(page, "chart")
    page.goto(f"{stack.interface}/assets/{REVENUE}?view=checks")
    expect(page.get_by_text("revenue_per_category_adds_up").first).to_be_visible()


def test_the_asset_graph_shows_every_table_in_its_layer(page: Page, stack: Stack):
    page.goto(f"{stack.interface}/asset-groups")
    in_graph = page.locator("foreignObject")
    for group in GROUPS:
        expect(in_graph.filter(has_text=group).first).to_be_visible()
    page.get_by_placeholder("Jump to").locator("xpath=following::button[1]").click()
    page.get_by_label("settings").last.click()
    page.get_by_role("menuitem").filter(has_text="Expand all groups").click()
    for asset in assets(stack):
        expect(in_graph.filter(has_text=shortened(asset)).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    until("the end of what the sensor began", stack.is_idle)
    picture(page, "asset-graph")


def two_months() -> list[date]:
    """The last two months that have ended, on the administration's calendar."""
    this_month = datetime.now(ZoneInfo("Europe/Amsterdam")).date().replace(day=1)
    last = (this_month - timedelta(days=1)).replace(day=1)
    return [(last - timedelta(days=1)).replace(day=1), last]


def choose(page: Page, dialog: Locator, partition: str) -> None:
    """Picks a partition from the list of them, which closes by itself when the dialog has learned more meanwhile."""
    nothing_chosen = dialog.get_by_text("Select a partition").first

    def chosen() -> bool:
        if nothing_chosen.is_visible():
            with suppress(TimeoutError):
                nothing_chosen.click(timeout=ATTEMPT)
                page.get_by_role("menuitem").filter(has_text=partition).click(timeout=ATTEMPT)
        dialog.get_by_text("Launch runs").first.click()
        return not nothing_chosen.is_visible() and dialog.get_by_role("button", name="Launch").is_visible()

    until(f"{partition} being chosen", chosen)


def assets(stack: Stack) -> list[str]:
    """The names Dagster gives its assets."""
    nodes = stack.graphql("{ assetNodes { assetKey { path } } }")["assetNodes"]
    return [node["assetKey"]["path"][-1] for node in nodes]


def shortened(name: str) -> str:
    """A long name stands in the graph with its middle left out."""
    return name if len(name) <= 18 else name[-8:]


def picture(page: Page, name: str) -> None:
    """Keeps what the page shows for the README, when asked to."""
    if os.environ.get("PIPELINE_PICTURES") == "1":
        page.screenshot(path=PICTURES / f"{name}.png")
