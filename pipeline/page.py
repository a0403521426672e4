"""A page for people as one file, without a script, a font or a picture from elsewhere; it prints on A4.

What comes in is sections of sentences, charts and tables; how they look is all that is decided here. Texts come from
outside and are escaped; only charts, which `charts.py` drew, go in as they are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from pipeline.errors import GiveUp
from pipeline.language import Language
from pipeline.whole_file import written_whole

_STYLE = """
@page { size: A4; margin: 18mm 15mm; }
body { font: 10.5pt/1.45 system-ui, "Segoe UI", Arial, sans-serif; color: #1d2733; background: #fff; margin: 2rem auto;
  max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.7rem; margin-bottom: 0.2rem; }
h2 { font-size: 1.15rem; margin: 1.8rem 0 0.4rem; border-bottom: 1px solid #c9d2dc; padding-bottom: 0.2rem; }
p { margin: 0.3rem 0; break-inside: avoid; }
figure { margin: 0.6rem 0; break-inside: avoid; }
figure svg { width: 100%; height: auto; }
table { border-collapse: collapse; width: 100%; margin: 0.6rem 0; }
thead { display: table-header-group; }
th, td { text-align: left; padding: 0.25rem 0.6rem 0.25rem 0; border-bottom: 1px solid #e4e9ee; vertical-align: top;
  overflow-wrap: break-word; }
th { color: #51606f; font-weight: 600; overflow-wrap: normal; }
td.figure, th.figure { text-align: right; padding: 0.25rem 0 0.25rem 0.6rem; font-variant-numeric: tabular-nums; }
td.figure { white-space: nowrap; }
.figure + :not(.figure) { padding-left: 0.6rem; }
table.wide { font-size: 8pt; }
tr { break-inside: avoid; }
tr.marked td { background: #fdf0dc; }
section.loud h2 { border-color: #c4671b; }
pre { background: #f3f6f9; padding: 0.6rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 9pt; }
@media print { body { margin: 0; max-width: none; padding: 0; } h2 { break-after: avoid; }
  h2 + p { break-after: avoid; } }
"""
_WIDE = 7  # columns from which on a table is set small


@dataclass(frozen=True)
class Section:
    """A heading with sentences, charts, a table and lines to be copied; what is empty is not shown."""

    title: str
    says: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    copied: Sequence[str] = ()
    is_loud: bool = False  # whether somebody has to look at it
    marked: frozenset[int] = frozenset()  # rows that somebody has to look at
    charts: Sequence[str] = ()  # SVG documents
    figures: frozenset[int] = frozenset()  # columns of numbers, which stand to the right

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing below its heading."""
        return not (self.says or self.rows or self.copied or self.charts)


def page(language: Language, title: str, intro: Sequence[str], sections: Iterable[Section]) -> str:
    """The whole page."""
    heading, shown = escape(title), "".join(f"<p>{escape(sentence)}</p>\n" for sentence in intro)
    body = "\n".join(_section(section) for section in sections)
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{heading}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<h1>{heading}</h1>\n{shown}{body}\n</body>\n</html>\n"
    )


def save(html: str, path: Path) -> None:
    """Writes the page, which gets its name when it is whole; raises GiveUp when the file can't be written."""
    try:
        with written_whole(path) as unfinished:
            unfinished.write_text(html, encoding="utf-8")
    except OSError as error:
        raise GiveUp(f"Cannot write {path}: {error.strerror}.") from None


def _section(section: Section) -> str:
    parts = [f"<h2>{escape(section.title)}</h2>", *(f"<p>{escape(sentence)}</p>" for sentence in section.says)]
    parts += [f"<figure>{chart}</figure>" for chart in section.charts]
    if section.rows:
        head = _row(section, "th", section.columns)
        body = "".join(_row(section, "td", row, is_marked=n in section.marked) for n, row in enumerate(section.rows))
        wide = ' class="wide"' if len(section.columns) >= _WIDE and section.figures else ""
        parts.append(f"<table{wide}><thead>{head}</thead><tbody>{body}</tbody></table>")
    if section.copied:
        lines = escape("\n".join(section.copied))
        parts.append(f"<pre>{lines}</pre>")
    loud = ' class="loud"' if section.is_loud else ""
    return f"<section{loud}>{''.join(parts)}</section>"


def _row(section: Section, kind: str, values: Iterable[str], *, is_marked: bool = False) -> str:
    cells = "".join(_cell(kind, value, place in section.figures) for place, value in enumerate(values))
    attributes = ' class="marked"' if is_marked else ""
    return f"<tr{attributes}>{cells}</tr>"


def _cell(kind: str, value: str, is_figure: bool) -> str:
    attributes = ' class="figure"' if is_figure else ""
    return f"<{kind}{attributes}>{escape(value)}</{kind}>"
