"""The table of `make bench`: when a line is kept, what the page looks like, and how it ends."""

from datetime import UTC, datetime

import pytest

from benchmarks import __main__ as bench
from benchmarks.table import Row, as_page, handed_over, in_order, taken_from

AT = datetime(2026, 3, 2, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "holds"),
    [
        (Row(what="tokens at their floor", ours=30, beside=30, line=1.02), True),
        (Row(what="tokens over it", ours=31, beside=30, line=1.02), False),
        (Row(what="as fast as asked for", ours=400, beside=200, line=2, at_least=True), True),
        (Row(what="slower", ours=399, beside=200, line=2, at_least=True), False),
        (Row(what="nothing sent", ours=0, line=0), True),
        (Row(what="something sent", ours=1, line=0), False),
        (Row(what="nothing beside it, and a floor of none", ours=1, beside=0, line=0), False),
        (Row(what="told for its own sake", ours=10**9), True),
        (Row(what="not installed", said="not installed", line=2, at_least=True), True),
        (Row(what="came to no end", said="came to no end", failed=True), False),
    ],
    ids=lambda given: given.what if isinstance(given, Row) else "",
)
def test_a_line_is_kept_or_not(row: Row, holds: bool):
    assert row.holds is holds


def test_the_page_has_counts_first_and_says_how_many_lines_are_broken():
    rows = in_order(
        [
            Row(what="import", ours=1.5, beside=1.0, named="s, dagster", line=1.3, unit="s"),
            Row(what="orders a second", said="not installed", line=2, at_least=True),
            Row(what="tokens", ours=53_555, beside=53_555, named="floor", line=1.02, counted=True),
        ]
    )
    page = as_page(rows, at=AT, seconds=1_234, machine="Linux x86_64, 2 cores")
    assert "2026-03-02 04:05 UTC, Linux x86_64, 2 cores; it took 21 minutes." in page
    assert "1 of 3 rows are worse than their line." in page
    assert page.splitlines()[-4:] == [
        "| --- | --- | --- | --- | --- | --- |",
        "| tokens | 53,555 | 53,555 floor | 1.000 × | ≤ 1.02 × | yes |",
        "| import | 1.50 s | 1 s, dagster | 1.500 × | ≤ 1.30 × | no |",
        "| orders a second | not installed |  |  | ≥ 2 |  |",
    ]


def test_rows_go_from_process_to_process_as_they_are(tmp_path):
    rows = [Row(what="tokens", ours=5, beside=5, named="floor", line=1, counted=True), Row(what="n8n", said="none")]
    handed_over(rows, tmp_path / "rows.json")
    assert taken_from(tmp_path / "rows.json") == rows


@pytest.mark.parametrize(("ours", "status"), [(5, 0), (10, 1)])
def test_it_ends_non_zero_when_a_ratio_is_worse_than_its_line(ours, status, tmp_path, monkeypatch):
    rows = [Row(what="tokens", ours=ours, beside=5, line=1, counted=True)]
    monkeypatch.setattr(bench, "PARTS", {"counts": []})
    monkeypatch.setattr(bench, "RESULTS", tmp_path / "RESULTS.md")
    monkeypatch.setattr(bench, "rows_of", lambda part, told: rows)
    monkeypatch.setattr("sys.argv", ["benchmarks"])
    with pytest.raises(SystemExit) as ended:
        bench.main()
    assert ended.value.code == status
    assert "| tokens |" in (tmp_path / "RESULTS.md").read_text("utf-8")


def test_a_part_that_comes_to_no_end_is_a_row_that_says_so():
    (row,) = bench.rows_of("no_such_part", [])
    assert (row.what, row.said, row.holds) == ("no_such_part", "came to no end", False)
