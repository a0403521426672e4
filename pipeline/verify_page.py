"""The page of `pipeline verify --to FILE.html`."""

from typing import Any

from pipeline import page
from pipeline.language import Language
from pipeline.verify_report import report
from pipeline.verify_words import said


def verify_page(found: Any, language: Language) -> str:
    """What `pipeline verify` found, as a page."""
    intro = said(language, "intro", read_at=str(found["read_at"])[:16].replace("T", " "))
    return page.page(language, said(language, "title"), [intro], report(found, language))
