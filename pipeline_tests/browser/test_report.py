"""The analysts' page in a browser, on the screen and on paper.

With PIPELINE_PICTURES=1 in the environment this test also makes the picture of the README, in docs/pictures.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from pipeline.language import Language
from pipeline.page import save
from pipeline.report_page import report_page
from pipeline.sandbox.company import seeded_company
from pipeline.steps.reconciliation import reconcile
from pipeline.steps.report import look
from pipeline.steps.token_usage import refresh_token_usage
from pipeline_tests.browser.test_user_interface import picture
from pipeline_tests.world import World

pytestmark = pytest.mark.browser

PAPER = 680  # pixels between the margins of A4
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
REPEATED = "() => getComputedStyle(document.querySelector('thead')).display"


def test_the_report_is_readable_on_the_screen_and_fits_on_a4(page: Page, engine: Engine, tmp_path: Path):
    world = World(engine, company=seeded_company(orders=80, odd=True))
    world.sync()
    refresh_token_usage(engine)
    reconcile(engine)
    file = tmp_path / "report.html"
    save(report_page(look(engine, ["nl"], Language.NL), Language.NL), file)
    page.set_viewport_size({"width": 1000, "height": 1100})
    page.goto(file.as_uri())
    expect(page.get_by_role("img", name="Omzet per categorie en maand (EUR)")).to_be_visible()
    picture(page, "report")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PAPER, "height": 1000})
    assert page.evaluate(TOO_WIDE) == 0
    assert page.evaluate(REPEATED) == "table-header-group"  # the heading comes again on every sheet
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    assert (tmp_path / "report.pdf").read_bytes().count(b"/Type /Page\n") > 2
