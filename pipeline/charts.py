"""Charts as small SVG documents: stacked columns, with a limit beside them, and stacked horizontal bars.

Plain values in, text out, with the standard library alone: they are drawn in the process of every run. What a chart is
about is decided elsewhere. Lengths are in pixels of a chart that is 720 wide; colours are those of Okabe and Ito, which
people who see few colours can tell apart.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from html import escape

Number = Decimal | int
Written = Callable[[Number], str]

WIDTH = 720
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C8C8C")
_INK, _GREY, _GRID = "#1d2733", "#51606f", "#dfe5ea"
_PLOT, _BAR, _WIDEST, _CHARACTER = 190, 24, 60, 6.3
_LONGEST_NAME, _MOST_LABELS = 26, 14
_FAR = 4.0  # times the highest column: a limit beyond that would make all columns flat, and is told in words only
_UNREADABLE = dict.fromkeys([*range(32), 127, 0xFFFE, 0xFFFF], " ")  # characters that XML does not allow


@dataclass(frozen=True)
class Series:
    """A name of the legend and its value at each label."""

    name: str
    values: Sequence[Number]


@dataclass(frozen=True)
class Chart:
    """What is drawn: at most seven series; `empty` stands there when all of it is zero.

    A limit is what the columns are held against, None at a label where it is not known.
    """

    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    empty: str
    limit_name: str = ""
    limit: Sequence[Number | None] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(value for one in self.series for value in one.values)

    @property
    def totals(self) -> list[Number]:
        """The sum of all series at each label."""
        return [sum((one.values[place] for one in self.series), 0) for place in range(len(self.labels))]


def stacked_columns(chart: Chart, written: Written) -> str:
    """A column for each label, its series upon each other, negative ones below zero; `written` shows a number."""
    if chart.is_empty:
        return _nothing(chart)
    lowest, highest = _reach(chart)
    known = [float(value) for value in chart.limit if value is not None]
    is_near = bool(known) and max(known) <= _FAR * highest
    ticks = _ticks(lowest, max([highest, *known]) if is_near else highest)
    legend, top = _legend(chart, _limit_in_words(chart, written, is_drawn=is_near))
    top += 14
    left = 16 + _CHARACTER * max(len(written(tick)) for tick in ticks)
    step = (WIDTH - left - 8) / len(chart.labels)
    wide = min(step * 0.72, _WIDEST)

    def height(value: float) -> float:
        return top + _PLOT * (ticks[-1] - value) / (ticks[-1] - ticks[0])

    def across(place: int) -> float:
        return left + step * (place + 0.5) - wide / 2

    parts = [legend, *(_tick_line(height(tick), left, written(tick), is_zero=tick == 0) for tick in ticks)]
    for colour, name, spans in _stacked(chart):
        bars = (
            _bar(across(place), height(max(span)), wide, abs(height(span[0]) - height(span[1])))
            for place, span in spans
        )
        parts.append(_path(bars, colour, name))
    if is_near:
        parts.append(_limit_line(chart, left, step, height))
    parts += _labels_below(chart.labels, left + step / 2, step, top + _PLOT + 16)
    return _document(chart, parts, top + _PLOT + 26, written)


def stacked_bars(chart: Chart, written: Written) -> str:
    """A horizontal bar for each label, first label on top, with its total behind it; no value may be negative."""
    if chart.is_empty:
        return _nothing(chart)
    highest = _reach(chart)[1]
    legend, top = _legend(chart)
    top += 8
    left = 20 + _CHARACTER * max(len(_short(label)) for label in chart.labels)
    room = WIDTH - left - 24 - _CHARACTER * max(len(written(total)) for total in chart.totals)
    parts = [legend]
    for colour, name, spans in _stacked(chart):
        bars = (
            _bar(left + room * start / highest, top + place * _BAR + 4, room * (end - start) / highest, _BAR - 8)
            for place, (start, end) in spans
        )
        parts.append(_path(bars, colour, name))
    for place, (label, total) in enumerate(zip(chart.labels, chart.totals, strict=True)):
        middle = top + place * _BAR + _BAR / 2 + 4
        parts.append(_text(left - 8, middle, _short(label), anchor="end"))
        parts.append(_text(left + room * float(total) / highest + 8, middle, written(total)))
    bottom = top + len(chart.labels) * _BAR
    parts.append(f'<path d="M{_n(left)} {_n(top)}V{_n(bottom)}" stroke="{_GREY}"/>')
    return _document(chart, parts, bottom + 10, written)


def _labels_below(labels: Sequence[str], left: float, step: float, down: float) -> Iterable[str]:
    """As many of them as are readable, evenly apart."""
    every = math.ceil(len(labels) / _MOST_LABELS)
    for place in range(0, len(labels), every):
        yield _text(left + step * place, down, labels[place], anchor="middle")


def _stacked(chart: Chart) -> Iterable[tuple[str, str, list[tuple[int, tuple[float, float]]]]]:
    """Colour and name of each series, and from where to where it goes at each label where it is something."""
    above, below = [0.0] * len(chart.labels), [0.0] * len(chart.labels)
    for colour, one in zip(COLOURS, chart.series, strict=False):
        spans: list[tuple[int, tuple[float, float]]] = []
        for place, value in enumerate(map(float, one.values)):
            side = above if value > 0 else below
            if value:
                spans.append((place, (side[place], side[place] + value)))
                side[place] += value
        yield colour, one.name, spans


def _reach(chart: Chart) -> tuple[float, float]:
    """How far the stacks go below and above zero."""
    columns = [[float(one.values[place]) for one in chart.series] for place in range(len(chart.labels))]
    lows = [sum(value for value in column if value < 0) for column in columns]
    return min(lows), max(sum(value for value in column if value > 0) for column in columns)


def _ticks(lowest: float, highest: float) -> list[int]:
    """About five round whole numbers from at most the lowest to at least the highest, zero among them."""
    rough = max((highest - lowest) / 4, 1.0)
    power = 10 ** math.floor(math.log10(rough))
    digits = (10, 20, 25, 50, 100) if power > 1 else (10, 20, 50, 100)  # tenths of the power
    step = next(power * digit // 10 for digit in digits if power * digit / 10 >= rough * 0.999)
    return [place * step for place in range(math.floor(lowest / step), math.ceil(highest / step - 1e-9) + 1)]


def _legend(chart: Chart, *more: str) -> tuple[str, float]:
    """Title and names, as many lines as they need, and where they end."""
    parts = [_text(8, 20, chart.title, weight=True)]
    across, down = 8.0, 40.0
    entries = [(colour, _short(one.name)) for colour, one in zip(COLOURS, chart.series, strict=False)]
    for colour, name in [*entries, *(("", one) for one in more if one)]:
        wide = 16 + _CHARACTER * len(name) + 14
        if across > 8 and across + wide > WIDTH:
            across, down = 8.0, down + 18
        box = f'<rect x="{_n(across)}" y="{_n(down - 9)}" width="11" height="11" fill="{colour}"/>'
        line = f'<path d="M{_n(across)} {_n(down - 4)}h12" stroke="{_INK}" stroke-width="2" stroke-dasharray="4 2"/>'
        parts.append((box if colour else line) + _text(across + 16, down, name))
        across += wide
    return "".join(parts), down


def _limit_in_words(chart: Chart, written: Written, *, is_drawn: bool) -> str:
    known = [value for value in chart.limit if value is not None]
    if not known:
        return ""
    return chart.limit_name if is_drawn else f"{chart.limit_name}: {written(known[-1])}"


def _limit_line(chart: Chart, left: float, step: float, height: Callable[[float], float]) -> str:
    pieces = (
        f"M{_n(left + step * place)} {_n(height(float(value)))}h{_n(step)}"
        for place, value in enumerate(chart.limit)
        if value is not None
    )
    line = f'fill="none" stroke="{_INK}" stroke-width="2" stroke-dasharray="5 3"'
    return f'<path d="{"".join(pieces)}" {line}><title>{_escaped(chart.limit_name)}</title></path>'


def _tick_line(down: float, left: float, label: str, *, is_zero: bool) -> str:
    line = f'<path d="M{_n(left)} {_n(down)}H{WIDTH - 8}" stroke="{_GREY if is_zero else _GRID}"/>'
    return line + _text(left - 6, down + 4, label, anchor="end")


def _bar(across: float, down: float, wide: float, high: float) -> str:
    return f"M{_n(across)} {_n(down)}h{_n(wide)}v{_n(high)}h{_n(-wide)}z"


def _path(bars: Iterable[str], colour: str, name: str) -> str:
    """All bars of a series as one path: a tenth of the size of so many rectangles."""
    shape = "".join(bars)
    return f'<path d="{shape}" fill="{colour}"><title>{_escaped(name)}</title></path>' if shape else ""


def _nothing(chart: Chart) -> str:
    said = [_text(8, 20, chart.title, weight=True), _text(8, 48, chart.empty)]
    return _document(chart, said, 64, str)


def _document(chart: Chart, parts: Iterable[str], height: float, written: Written) -> str:
    """The whole drawing; on white, because the page around it may be dark."""
    told = zip(chart.labels, chart.totals, strict=True)
    says = chart.empty if chart.is_empty else "; ".join(f"{label}: {written(total)}" for label, total in told)
    size = f'viewBox="0 0 {WIDTH} {_n(height)}" width="{WIDTH}" height="{_n(height)}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{_escaped(chart.title)}" '
        f'font-family="system-ui,Segoe UI,Arial,sans-serif" font-size="11.5" fill="{_INK}">'
        f"<title>{_escaped(chart.title)}</title><desc>{_escaped(says)}</desc>"
        f'<rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>'
    )


def _text(across: float, down: float, says: str, *, anchor: str = "", weight: bool = False) -> str:
    more = (f' text-anchor="{anchor}"' if anchor else "") + (' font-weight="600" font-size="14"' if weight else "")
    return f'<text x="{_n(across)}" y="{_n(down)}"{more}>{_escaped(says)}</text>'


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _escaped(says: str) -> str:
    return escape(says.translate(_UNREADABLE))


def _n(value: float) -> str:
    return f"{round(value, 1):.10g}"
