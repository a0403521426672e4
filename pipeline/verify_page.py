"""The page of `pipeline verify --to FILE.html`: one file without a script, a font or a picture from elsewhere.

Every text of it comes from outside and is escaped; how it looks is all that is decided here.
"""

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from pipeline.errors import GiveUp
from pipeline.verify_report import Section, report
from pipeline.verify_words import Language, said

_STYLE = """
@page { size: A4; margin: 18mm 15mm; }
body { font: 10.5pt/1.45 system-ui, "Segoe UI", Arial, sans-serif; color: #1d2733; margin: 2rem auto; max-width: 60rem;
  padding: 0 1rem; }
h1 { font-size: 1.7rem; margin-bottom: 0.2rem; }
h2 { font-size: 1.15rem; margin: 1.8rem 0 0.4rem; border-bottom: 1px solid #c9d2dc; padding-bottom: 0.2rem; }
p { margin: 0.3rem 0; }
table { border-collapse: collapse; width: 100%; margin: 0.6rem 0; }
th, td { text-align: left; padding: 0.25rem 0.6rem 0.25rem 0; border-bottom: 1px solid #e4e9ee; vertical-align: top;
  overflow-wrap: break-word; }
th { color: #51606f; font-weight: 600; overflow-wrap: normal; }
tr { break-inside: avoid; }
tr.marked td { background: #fdf0dc; }
section.loud h2 { border-color: #c4671b; }
pre { background: #f3f6f9; padding: 0.6rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 9pt; }
@media print { body { margin: 0; max-width: none; padding: 0; } h2 { break-after: avoid; } }
"""


def page(found: Any, language: Language) -> str:
    """The whole page."""
    title = escape(said(language, "title"))
    intro = escape(said(language, "intro", read_at=str(found["read_at"])[:16].replace("T", " ")))
    sections = "\n".join(_section(section) for section in report(found, language))
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<h1>{title}</h1>\n<p>{intro}</p>\n{sections}\n</body>\n</html>\n"
    )


def save_page(found: Any, language: Language, path: Path) -> None:
    """Writes the page; raises GiveUp when the file can't be written."""
    try:
        path.write_text(page(found, language), encoding="utf-8")
    except OSError as error:
        raise GiveUp(f"Cannot write {path}: {error.strerror}.") from None


def _section(section: Section) -> str:
    parts = [f"<h2>{escape(section.title)}</h2>", *(f"<p>{escape(sentence)}</p>" for sentence in section.says)]
    if section.rows:
        body = "".join(_row(row, is_marked=place in section.marked) for place, row in enumerate(section.rows))
        parts.append(f"<table><thead>{_cells('th', section.columns)}</thead><tbody>{body}</tbody></table>")
    if section.copied:
        lines = escape("\n".join(section.copied))
        parts.append(f"<pre>{lines}</pre>")
    loud = ' class="loud"' if section.is_loud else ""
    return f"<section{loud}>{''.join(parts)}</section>"


def _row(values: Iterable[str], *, is_marked: bool) -> str:
    return _cells("td", values, ' class="marked"' if is_marked else "")


def _cells(kind: str, values: Iterable[str], attributes: str = "") -> str:
    cells = "".join(f"<{kind}>{escape(value)}</{kind}>" for value in values)
    return f"<tr{attributes}>{cells}</tr>"
