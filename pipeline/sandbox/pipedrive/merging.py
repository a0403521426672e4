"""Merging deals: one goes into the other, which keeps its own where both have something."""

from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.rows import Deal


def merge_deals(company: Company, source: Deal, target: Deal) -> None:
    """The source's product lines, notes and whatever the target lacks go over; the source is deleted."""
    with company.editing("deal", target):
        target.custom = source.custom | target.custom
        target.org_id = target.org_id or source.org_id
        target.person_id = target.person_id or source.person_id
        target.expected_close_date = target.expected_close_date or source.expected_close_date
        _move_notes(company, source, target)
    _move_lines(company, source, target)
    company.delete("deal", source)


def _move_lines(company: Company, source: Deal, target: Deal) -> None:
    for line in source.lines:
        line.deal_id = target.id
    moved, source.lines = source.lines, []
    target.lines += moved
    if moved:
        company.lines_changed(target)


def _move_notes(company: Company, source: Deal, target: Deal) -> None:
    moved = company.notes_of.pop(("deal", source.id), [])
    for note in moved:
        company.notes.rows[note].deal_id = target.id
    if moved:
        company.notes_of.setdefault(("deal", target.id), []).extend(moved)
