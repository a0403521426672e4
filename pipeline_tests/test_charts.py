"""Charts as SVG: what is drawn of which figures, that it is always whole, and that nothing in it is taken for a tag."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as any_

from pipeline.charts import COLOURS, WIDTH, Chart, Number, Series, stacked_bars, stacked_columns

SVG = "{http://www.w3.org/2000/svg}"
SIGN = re.compile(r"M([-\d.]+) ([-\d.]+)h([-\d.]+)v([-\d.]+)h")


def chart(*series: Sequence[Number], **more: object) -> Chart:
    labels = [f"L{place}" for place in range(len(series[0]) if series else 0)]
    named = [Series(f"S{number}", values) for number, values in enumerate(series)]
    return Chart(**({"title": "T", "labels": labels, "series": named, "empty": "Nothing yet."} | more))  # pyright: ignore


def drawn(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def texts(svg: str) -> list[str]:
    return [one.text or "" for one in drawn(svg).iter(f"{SVG}text")]


def bars(svg: str) -> dict[str, list[tuple[float, float, float, float]]]:
    """Left, top, width and height of the bars by the name of their series."""
    return {
        path[0].text or "": [tuple(map(float, found)) for found in SIGN.findall(path.get("d") or "")]  # pyright: ignore
        for path in drawn(svg).iter(f"{SVG}path")
        if path.get("fill") in COLOURS
    }


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([(1, 2, 3)], ["0", "1", "2", "3"]),
        ([(0, 100)], ["0", "25", "50", "75", "100"]),
        ([(9,)], ["0", "5", "10"]),
        ([(30_000,), (31_000,)], ["0", "20000", "40000", "60000", "80000"]),
        ([(Decimal("0.01"),)], ["0", "1"]),
        ([(10**12,)], ["0", "250000000000", "500000000000", "750000000000", "1000000000000"]),
        ([(40, -25)], ["-40", "-20", "0", "20", "40"]),
        ([(-5, -10)], ["-10", "-5", "0"]),
    ],
)
def test_the_axis_goes_in_round_steps_from_the_lowest_to_the_highest(values: list, ticks: list[str]):
    svg = stacked_columns(chart(*values), str)
    shown = [text for text in texts(svg) if re.fullmatch(r"-?[\d.]+", text)]
    assert shown == ticks


def test_series_stand_upon_each_other_and_what_is_negative_hangs_below_zero():
    found = bars(stacked_columns(chart((10, 0, -10), (20, 5, 10)), str))
    (first, negative), (upon, alone, above) = found["S0"], found["S1"]
    assert first[3] == negative[3] == above[3] == pytest.approx(upon[3] / 2, abs=0.2)
    zero = first[1] + first[3]
    assert upon[1] + upon[3] == pytest.approx(first[1], abs=0.2)  # on top of the first
    assert [alone[1] + alone[3], above[1] + above[3], negative[1]] == pytest.approx([zero] * 3, abs=0.2)
    assert first[0] == upon[0] < alone[0] < above[0] == negative[0]


def test_horizontal_bars_go_on_where_the_one_before_ends_with_the_total_behind():
    svg = stacked_bars(chart((1, 3), (2, 0)), "{:,}".format)
    found = bars(svg)
    (one, three), (two,) = found["S0"], found["S1"]
    assert (two[0], three[2]) == pytest.approx((one[0] + one[2], one[2] + two[2]), abs=0.2)
    assert (two[1], three[0]) == (one[1], one[0])
    assert texts(svg)[-4:] == ["L0", "3", "L1", "3"]


@pytest.mark.parametrize("draw", [stacked_columns, stacked_bars])
@pytest.mark.parametrize("series", [[], [()], [(0, 0), (0, Decimal(0))]], ids=["no series", "no labels", "all zero"])
def test_where_there_is_nothing_the_chart_says_so(draw: Any, series: list):
    svg = draw(chart(*series), str)
    assert (texts(svg), bars(svg)) == (["T", "Nothing yet."], {})


@pytest.mark.parametrize(
    ("limit", "told", "pieces"),
    [
        ((), None, 0),
        ((None, None, None), None, 0),
        ((100, None, 100), "Budget", 2),
        ((399, 399, 399), "Budget", 3),
        ((10**9,) * 3, "Budget: 1,000,000,000", 0),  # the columns would be flat
    ],
)
def test_a_limit_is_a_line_where_it_is_known_and_near(limit: tuple, told: str | None, pieces: int):
    svg = stacked_columns(chart((100, 50, 25), limit=limit, limit_name="Budget"), "{:,}".format)
    assert [text for text in texts(svg) if text.startswith("Budget")] == ([told] if told else [])
    lines = [path.get("d") or "" for path in drawn(svg).iter(f"{SVG}path") if path.get("fill") == "none"]
    assert sum(line.count("M") for line in lines) == pieces


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "A & \"B\" 'C'", "]]>", "tab\x0bbell\x07", "🎄 Kerst", "x" * 500]
)
@pytest.mark.parametrize("draw", [stacked_columns, stacked_bars])
def test_a_bad_name_is_only_a_name(draw: Any, name: str):
    svg = draw(Chart(name, [name], [Series(name, [1])], name, name, [2]), str)
    told = name.replace("\x0b", " ").replace("\x07", " ")
    assert {one.tag.removeprefix(SVG) for one in drawn(svg).iter()} <= {"svg", "title", "desc", "rect", "path", "text"}
    assert (drawn(svg).get("aria-label"), drawn(svg)[0].text) == (told, told)
    assert any(text == told or text == f"{told[:25]}…" for text in texts(svg)[1:])


def test_many_labels_stay_readable_and_people_who_cannot_see_it_are_told_all():
    svg = stacked_columns(chart(range(1, 61)), str)
    assert len([text for text in texts(svg) if text.startswith("L")]) <= 14
    described = drawn(svg)[1]
    assert (described.tag, described.text) == (f"{SVG}desc", "; ".join(f"L{n}: {n + 1}" for n in range(60)))
    assert len(set(COLOURS)) == len(COLOURS) == 7


_VALUES = any_.decimals(min_value=-(10**13), max_value=10**13, places=2)


@given(any_.lists(any_.lists(_VALUES, min_size=3, max_size=3), min_size=1, max_size=7))
def test_whatever_the_figures_all_of_it_lies_within_the_drawing(series: list[list[Decimal]]):
    svg = drawn(text := stacked_columns(chart(*series), "{:,}".format))
    height = float(svg.get("height") or 0)
    for left, top, wide, high in (bar for found in bars(text).values() for bar in found):
        assert 0 <= left <= left + wide <= WIDTH
        assert 0 <= top <= top + high <= height + 0.2
    across = [float(one.get("x") or 0) for one in svg.iter(f"{SVG}text")]
    assert min(across) >= 0
    assert len(text) < 8_000
