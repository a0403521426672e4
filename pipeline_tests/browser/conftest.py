"""One running product and one browser for all tests here; a page for each."""

import json
import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from pipeline_tests.browser.stack import DEADLINE, Stack, running

ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking --disable-component-update "
    "--disable-sync --no-first-run"
).split()
PATIENCE = DEADLINE * 1000  # milliseconds
SIZE = {"width": 1600, "height": 900}
# Four times the points to draw, for pictures that are kept; the tests look at words.
SHARPNESS = 2 if os.environ.get("PIPELINE_PICTURES") == "1" else 1
# Room for the graph: no navigation, names only, its groups below each other.
PREFERENCES = {
    "dagster-nav-collapsed": "true",
    "large-screen-nav-open": "false",
    "asset-node-facets": '["status"]',
    "asset-graph-direction": '"vertical"',
}


# For these tests only: what it sets in the environment is nothing for others.
@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    names = (os.environ.get("CHROMIUM") or "chromium", "chromium-browser", "google-chrome")
    program = next((path for name in names if (path := shutil.which(name))), None)
    assert program, "There is no Chromium: sudo apt-get install chromium, or name it in CHROMIUM."
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=ARGUMENTS, timeout=PATIENCE)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=SIZE, device_scale_factor=SHARPNESS)
    kept = "".join(f"localStorage.setItem({json.dumps(key)}, {json.dumps(PREFERENCES[key])});" for key in PREFERENCES)
    context.add_init_script(kept)
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()
