"""Plain text for people: what a sync did, what a plan would, how things stand. No numbers are made here."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.language import Language
from pipeline.page import Section
from pipeline.verify_report import report

_NAMES = {
    "deals": "deals",
    "deal_products": "deal rows",
    "organizations": "organizations",
    "persons": "persons",
    "products": "products",
}
_HOWS = {
    "linked": "linked already",
    "debtor code": "by debtor code",
    "adopted": "adopted",
    "decided": "decided",
    "ambiguous": "ambiguous",
    "new": "new",
    "held": "held",
}
_MONTHS = 24  # shown at most
_ROWS = 20


def sync_text(counts: Mapping[str, Any], stopped: str | None) -> str:
    """What a sync did."""
    lines = [f"{'':15}{'created':>10}{'updated':>10}{'unchanged':>11}{'held':>8}{'left':>8}"]
    for kind, name in _NAMES.items():
        row = counts[kind]
        figures = f"{row['created']:>10,}{row['updated']:>10,}{row['unchanged']:>11,}{row['held']:>8,}{row['left']:>8,}"
        lines.append(f"{name:15}{figures}")
    lines.append(
        f"{counts['exact_calls']:,} calls to Exact Online, {counts['pipedrive_tokens']:,} Pipedrive tokens, "
        f"{counts['seconds']:,} seconds"
    )
    return "\n".join([*lines, stopped] if stopped else lines)


def audit_text(found: Mapping[str, Any], stopped: str | None) -> str:
    """What an audit found."""
    lines = [f"{'':15}{'looked at':>11}{'differing':>11}{'written':>10}"]
    for kind, name in _NAMES.items():
        row = found[kind]
        lines.append(f"{name:15}{row['looked_at']:>11,}{row['differing']:>11,}{found['written'][kind]:>10,}")
    lines += [f"  {name}: {count:,}" for name, count in found["differences"].items() if count]
    lines.append(f"{found['pipedrive_tokens']:,} Pipedrive tokens, {found['seconds']:,} seconds")
    return "\n".join([*lines, stopped] if stopped else lines)


def plan_text(found: Mapping[str, Any]) -> str:
    """What a sync would write."""
    lines = [f"{'':15}{'create':>10}{'update':>10}{'tokens':>10}"]
    for kind, name in _NAMES.items():
        row = found[kind]
        lines.append(f"{name:15}{row['create']:>10,}{row['update']:>10,}{row['tokens']:>10,}")
    lines.append(f"{'setting it up':15}{'':>20}{found['setup']:>10,}")
    lines.append(f"{found['tokens']:,} tokens in all; {found['tokens_left_today']:,} are left today")
    done = found["done_on"] or "never: a day has fewer tokens for history than one piece of it costs (keep_for_live)"
    lines.append(f"With {found['tokens_a_day']:,} tokens a day for history it is done on: {done}")
    return "\n".join(lines)


def status_text(found: Mapping[str, Any]) -> str:
    """How things stand."""
    lines = ["Feeds"]
    lines += [f"  {row['administration']} {row['feed']:22} read {_ago(row['age'])} ago" for row in found["feeds"]] or [
        "  none read yet"
    ]
    lines += ["Tables"] + [f"  {name:26}{rows:>12,} rows" for name, rows in found["tables"].items()]
    waiting = [f"  {stage:26}{count:>12,} waiting" for stage, count in found["backlog"].items()]
    lines += ["Backlog", *(waiting or ["  nothing waits"])]
    lines += _migration(found["migration"])
    budget = found["budget"]
    left = (
        f"{budget['remaining']:,} of {budget['limit']:,} tokens left on {budget['day']}" if budget else "not known yet"
    )
    lines += [f"Pipedrive's budget: {left}"]
    lines += [f"Held orders: {len(found['held_orders'])}"]
    lines += [f"  {row['order_number']}: {row['reason']}" for row in found["held_orders"][:20]]
    if found["held_customers"]:
        lines += [f"Held customers: {len(found['held_customers'])}"]
        lines += [f"  {row['debtor_code'] or 'without code'}: {row['reason']}" for row in found["held_customers"][:20]]
    lines += _contacts_to_exact(found["contacts_to_exact"])
    if found["hand_edits"]:
        lines += ["Changed by hand in Pipedrive, as the last audit found"]
        lines += [f"  {row['kind']} {row['field']}: {row['records']}" for row in found["hand_edits"]]
    if found["duplicates"]:
        lines += [f"Records that stand in Pipedrive twice: {found['duplicates']}, see pipedrive.duplicates"]
    if found["item_groups_left_out"]:
        left_out = ", ".join(found["item_groups_left_out"])
        lines += [f"Item groups without a field for their revenue, for which the plan has no room: {left_out}"]
    return "\n".join([*lines, *_last(found)])


def history_text(counts: Mapping[str, Any], stopped: str | None) -> str:
    """What the reading of months came to."""
    read = counts["history"]
    lines = [
        f"{read['months']} months read: {read['orders']:,} orders, {read['lines']:,} lines, {read['vanished']:,} gone"
    ]
    return "\n".join([*lines, sync_text(counts, stopped)])


def customers_text(found: Mapping[str, Any], saved: str | None) -> str:
    """How customers come by their organizations."""
    lines = [
        f"{'customers':20}{sum(found['counts'].values()):>10,}   organizations in Pipedrive: {found['organizations']:,}"
    ]
    lines += [f"  {_HOWS[how]:18}{count:>10,}" for how, count in found["counts"].items()]
    if found["decided"]:
        lines.append(f"{found['decided']:,} decisions were taken from the file")
    unsettled = [row for row in found["customers"] if row["match"] == "ambiguous"]
    lines += ["For a person to decide; undecided, a new organization is made"] if unsettled else []
    for row in unsettled[:_ROWS]:
        who = f"{row['administration']} {row['debtor_code']} {row['customer']}"
        lines.append(f"  {who}: organization {row['org_id']} {row['organization']} ({row['reason']})")
    if len(unsettled) > _ROWS:
        lines.append(f"  and {len(unsettled) - _ROWS:,} more")
    if unsettled and not saved:
        lines.append("Save them with --to FILE.csv, write adopt or new under decision, and read it back with --decide.")
    return "\n".join([*lines, f"Written to {saved}"] if saved else lines)


def verify_text(found: Mapping[str, Any], saved: str | None) -> str:
    """What `pipeline verify` found; rows that need a person are marked."""
    lines: list[str] = []
    for section in report(found, Language.EN):
        lines += ["", section.title, *(f"  {sentence}" for sentence in section.says)]
        lines += _table(section) + list(section.copied)
    return "\n".join([*lines[1:], *([f"Written to {saved}"] if saved else [])])


def _table(section: Section) -> list[str]:
    if not section.rows:
        return []
    rows = [section.columns, *section.rows]
    widths = [max(len(row[place]) for row in rows) for place in range(len(section.columns))]
    shown = ["  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [f"{'!' if place - 1 in section.marked else ' '} {line}" for place, line in enumerate(shown)]


def _last(found: Mapping[str, Any]) -> list[str]:
    """The last backup and the last failure."""
    made, failure = found["last_backup"], found["last_failure"]
    return [
        f"Last backup, {made['at']}: {made['file']}" if made else "Last backup: none",
        f"Last failure, {failure['at']}: {failure['what']}" if failure else "Last failure: none",
    ]


def _contacts_to_exact(found: Mapping[str, Any]) -> list[str]:
    """Persons on their way to the ERP, and why some are not there; nothing where there are none."""
    if not found["waiting"] and not found["held"]:
        return []
    lines = [f"Persons for Exact Online: {found['waiting']} waiting, {len(found['held'])} held"]
    return lines + [f"  person {row['person_id']}: {row['reason']}" for row in found["held"][:_ROWS]]


def _migration(months: Sequence[Mapping[str, Any]]) -> list[str]:
    """Months on their way into Pipedrive, as the last run left them; those that are there are only counted."""
    to_go = [row for row in months if row["tokens_to_go"] or row["deals_to_go"] or row["rows_to_go"]]
    lines = [f"History: {len(months) - len(to_go)} of {len(months)} months are in Pipedrive"]
    for row in to_go[:_MONTHS]:
        read = "not read" if row["orders_in_exact"] is None else f"{row['orders_in_exact']:,} in Exact"
        lines.append(
            f"  {row['administration']} {row['month']:%Y-%m}: {read}, {row['deals']:,} deals there; to go "
            f"{row['deals_to_go']:,} deals, rows of {row['rows_to_go']:,}, {row['tokens_to_go']:,} tokens; "
            f"deals on {row['deals_on'] or '-'}, all on {row['done_on'] or 'no day: too few tokens'}"
        )
    return lines + ([f"  and {len(to_go) - _MONTHS} older months"] if len(to_go) > _MONTHS else [])


def _ago(age: Any) -> str:
    minutes = int(age.total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"


def backup_text(made: Mapping[str, Any]) -> str:
    """A backup for people."""
    held = f"{made['tables']} tables with {made['rows']:,} rows, {made['bytes'] / 1e6:,.1f} MB"
    tried = (
        "It was restored into a database beside this one, and every table has its rows."
        if made["was_restored"]
        else "It was only read to its end, and not restored to try it out: this database user may not make databases "
        "(ALTER ROLE ... CREATEDB)."
    )
    gone = f" {len(made['removed'])} older ones were removed." if made["removed"] else ""
    return f"{made['file']}: {held}. {tried}{gone}"


RESTORED = (
    "Run `pipeline sync` next: it reads Exact Online from where the backup stood, and reads back from Pipedrive what "
    "was written there since, so that nothing is made twice. Exact's refresh token in a backup is used up: where it "
    "says so, run `pipeline connect exact`."
)
