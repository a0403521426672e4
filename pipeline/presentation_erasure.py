"""The report of an erasure for people."""

from collections.abc import Mapping, Sequence
from typing import Any

_NOT_REACHED = (
    "Not reached by this: files that people exported, copies of backups and snapshots elsewhere, and what Pipedrive "
    "and Exact Online keep of their own (mail, notes, history)."
)


def erasure_text(report: Mapping[str, Any], file: str | None) -> str:
    """What went, what stays and why, and what people have to do themselves."""
    went = "Would be erased" if report["dry_run"] else "Erased"
    rows = [f"  {table:<34} {count:>7,}" for table, count in report["erased"].items()]
    lines = [f"{went}, in rows:", *rows] if rows else ["Nothing is left to erase in the warehouse."]
    lines += ["Of:", *(f"  {_subject(one)}" for one in report["subjects"])]
    lines += _pipedrive(report["pipedrive"], report.get("pipedrive_waits_because"), is_done=not report["dry_run"])
    if report["stays"]:
        lines += [f"Stays by law until {max(one['until'] for one in report['stays'])} ({report['stays'][0]['why']}):"]
        lines += [f"  {one['table']:<34} {one['rows']:>7,}" for one in report["stays"]]
    backups = report["backups"]
    if backups["dumps"]:
        lines += [
            f"Backups can't be changed: {backups['dumps']} dumps, the last of which is gone on {backups['gone_on']} at "
            "the latest; a restore erases again."
        ]
    lines += [_NOT_REACHED]
    return "\n".join([*lines, f"The signed report is {file}."] if file else lines)


def erased_again_text(rows: int) -> str:
    """What a restore did about those who were erased since the dump was made."""
    if not rows:
        return "Nobody in it was erased since."
    return f"{rows} rows held people who were erased since, and were emptied again; the next sync does so in Pipedrive."


def _subject(one: Mapping[str, Any]) -> str:
    if "administration" not in one:
        return f"{one['kind']} {one['id']}"
    return f"{one['kind']} {one['id']} ({one['administration']}); in Exact Online: {one['in_exact_online']}"


def _pipedrive(standing: Sequence[Mapping[str, Any]], reason: str | None, *, is_done: bool) -> list[str]:
    lines = []
    for one in standing:
        numbers = f" ({', '.join(map(str, one['ids']))})" if one["ids"] else ""
        if one["kind"] == "persons made by hand":
            lines.append(f"In Pipedrive {one['records']} persons made by hand{numbers}: delete them there yourself.")
        elif not is_done:
            lines.append(f"In Pipedrive {one['records']} {one['kind']}{numbers} would be emptied.")
        else:
            waiting = f", {one['waiting']} of them wait" if one["waiting"] else ""
            lines.append(f"In Pipedrive {one['records']} {one['kind']}{numbers} are emptied{waiting}.")
    if any(one["kind"] == "persons" for one in standing):
        lines.append("A person is emptied, not deleted: delete it in Pipedrive too, which ends its history there.")
    return lines + ([f"Pipedrive has to wait: {reason}."] if reason else [])
