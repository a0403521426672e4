"""`pipeline erase`: who is meant, and the report of what was erased; the work is `steps/erase.py`'s."""

import getpass
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.domain.erasure import Asked
from pipeline.errors import GiveUp
from pipeline.sentences import sentences, working
from pipeline.settings import Settings, settings


def erase(
    *,
    contact: Annotated[str | None, typer.Option(metavar="ID", help="A contact, by its id in Exact Online.")] = None,
    account: Annotated[
        str | None,
        typer.Option(metavar="ID", help="An account with its contacts, by its id in Exact Online or its debtor code."),
    ] = None,
    e_mail: Annotated[
        str | None, typer.Option("--email", metavar="ADDRESS", help="Everybody with that e-mail address.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Erase nothing; tell what is held.")] = False,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FILE.json", help="The signed report; in PIPELINE_HOME/erasures if left out."),
    ] = None,
    let_in_again: Annotated[
        bool, typer.Option("--let-in-again", help="Take back that the contact or account is kept out.")
    ] = False,
    verify: Annotated[Path | None, typer.Option(metavar="FILE.json", help="Only check a report's signature.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object on standard output and nothing else there.")
    ] = False,
) -> None:
    """Erases a person's or an account's personal data (AVG art. 17) and tells, signed, what went and what stays."""
    with sentences():
        if sum(one is not None for one in (contact, account, e_mail, verify)) != 1:
            raise GiveUp("Name one: --contact ID, --account ID, --email ADDRESS, or --verify FILE.json.")
        if let_in_again and (e_mail or verify):
            raise GiveUp("Name who is to be let in again by --contact ID or --account ID: nobody's address is kept.")
    if verify:
        _verify(verify)
        return
    asked = Asked(contact, account, e_mail)
    if let_in_again:
        _let_in_again(asked)
        return
    with working() as (engine, config):
        from pipeline.connections import pipedrive_client
        from pipeline.presentation_erasure import erasure_text
        from pipeline.steps.erase import erase as erased
        from pipeline.steps.erasure_report import save, signed

        environment = settings()
        secret_key = environment.required("PIPELINE_SECRET_KEY")
        has_token = bool(environment.environment.get("PIPEDRIVE_API_TOKEN", "").strip())
        report = erased(
            engine,
            (lambda ledger: pipedrive_client(environment, ledger)) if has_token else None,
            config,
            asked,
            daily_tokens=environment.daily_tokens,
            backups=environment.backups,
            by=_who(),
            dry_run=dry_run,
        )
        made = signed(report, secret_key)
        file = None if dry_run else to or _file(environment)
        if file:
            save(made, file)
        _show(made, erasure_text(made, str(file) if file else None), as_json)


def _let_in_again(asked: Asked) -> None:
    with working() as (engine, config):
        from pipeline.steps.let_in_again import let_in_again

        let_in_again(engine, config, asked, settings().backups)
        print("Let in again: the next `pipeline sync` reads it from Exact Online.")


def _verify(file: Path) -> None:
    with working(), sentences():
        from pipeline.steps.erasure_report import verified

        report = verified(file, settings().required("PIPELINE_SECRET_KEY"))
        print(f"{file} is as it was signed: an erasure of {report['at']}, by {report['by']}.")


def _file(environment: Settings) -> Path:
    return environment.home / "erasures" / f"erasure-{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}.json"


def _who() -> str:
    """The account of the operating system; a container may have one without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def _show(found: Any, text: str, as_json: bool) -> None:
    print(json.dumps(found, default=str, ensure_ascii=False) if as_json else text)
