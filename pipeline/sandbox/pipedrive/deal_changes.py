"""The rules of a deal's own fields: what may stand together, and what a change entails. Checks first, then changes."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.sandbox.pipedrive import field_values
from pipeline.sandbox.pipedrive.clock import parsed_moment, rfc3339
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.refusals import invalid
from pipeline.sandbox.pipedrive.rows import Deal

_PLAIN = ("title owner_id person_id org_id value currency probability visible_to expected_close_date label_ids").split()
_CLOSING = ("won_time", "lost_time", "close_time")


def check(company: Company, deal: Deal | None, body: dict[str, Any]) -> None:
    """Refuses what the shapes cannot see: fields that contradict the status, values owned by product lines."""
    status = body.get("status", deal.status if deal else "open")
    problems = _closing_problems(company, deal, body, status)
    problems += _label_problems(company, body)
    if body.get("is_deleted"):
        problems.append("is_deleted: a deal is deleted with DELETE")
    problems += _place_problems(company, deal, body)
    if deal is not None and deal.lines:
        problems += _line_problems(company, deal, body)
    if problems:
        raise invalid(problems)


def apply(company: Company, deal: Deal, body: dict[str, Any], *, is_new: bool = False) -> None:
    """Writes a checked body onto the deal."""
    settings = company.settings
    for key in _PLAIN:
        if key in body and not (key == "value" and deal.lines and settings.value_with_products == "ignored"):
            setattr(deal, key, body[key])
    if settings.patch_value_resets and "value" in body and not is_new:
        deal.custom = {}
    if "custom_fields" in body:
        deal.custom = field_values.kept(company, "deal", deal.custom, body["custom_fields"])
    _move(company, deal, body, is_new)
    _close(company, deal, body, is_new)
    _archive(company, deal, body)


def _closing_problems(company: Company, deal: Deal | None, body: dict[str, Any], status: str) -> list[str]:
    allowed = {"won_time": ("won",), "lost_time": ("lost",), "lost_reason": ("lost",), "close_time": ("won", "lost")}
    problems = [
        f"{key}: can only be set when the deal is {' or '.join(statuses)}"
        for key, statuses in allowed.items()
        if body.get(key) is not None and status not in statuses
    ]
    if deal is None and company.settings.won_time_on_create == "refused":
        problems += [f"{key}: the deal is not closed yet" for key in _CLOSING if body.get(key) is not None]
    years = company.settings.close_time_years
    if years is not None:
        now = datetime.fromtimestamp(company.clock.now(), UTC)
        problems += [f"{key}: is out of range" for key in _CLOSING if body.get(key) and _is_far(body[key], now, years)]
    return problems


def _is_far(text: str, now: datetime, years: int) -> bool:
    moment = datetime.fromisoformat(parsed_moment(text) or text)
    return abs(moment - now) > timedelta(days=366 * years)


def _place_problems(company: Company, deal: Deal | None, body: dict[str, Any]) -> list[str]:
    """A deal needs a stage to stand in; a pipeline can be without any."""
    if "stage_id" in body:
        return []
    if "pipeline_id" in body:
        stays = deal is not None and deal.pipeline_id == body["pipeline_id"]
        lacks = company.first_stage(body["pipeline_id"]) is None and not stays
        return [f"pipeline_id: Pipeline {body['pipeline_id']} has no stages"] if lacks else []
    pipeline = company.default_pipeline()
    lacks = deal is None and (pipeline is None or company.first_stage(pipeline.id) is None)
    return ["stage_id: there is no stage"] if lacks else []


def _label_problems(company: Company, body: dict[str, Any]) -> list[str]:
    known = company.fields.of("deal")["label_ids"].option_labels()
    return [f"label_ids: Label {label} not found" for label in body.get("label_ids") or () if label not in known]


def _line_problems(company: Company, deal: Deal, body: dict[str, Any]) -> list[str]:
    problems = []
    if "value" in body and company.settings.value_with_products == "refused":
        problems.append("value: cannot be set while the deal has products")
    if company.settings.currency_with_products == "refused" and body.get("currency", deal.currency) != deal.currency:
        problems.append("currency: cannot be changed while the deal has products")
    return problems


def _move(company: Company, deal: Deal, body: dict[str, Any], is_new: bool) -> None:
    stage = company.stages.get(body["stage_id"]) if body.get("stage_id") else None
    if stage is None and body.get("pipeline_id") and body["pipeline_id"] != deal.pipeline_id:
        stage = company.first_stage(body["pipeline_id"])
    if stage is None or stage.id == deal.stage_id:
        return
    deal.stage_id, deal.pipeline_id = stage.id, stage.pipeline_id
    if not is_new:
        deal.stage_change_time = company.clock.text()


def _close(company: Company, deal: Deal, body: dict[str, Any], is_new: bool) -> None:
    before, deal.status = deal.status, body.get("status", deal.status)
    if deal.status == "open":
        deal.won_time = deal.lost_time = deal.close_time = deal.lost_reason = None
        return
    taken = {} if is_new and company.settings.won_time_on_create == "ignored" else body
    own = f"{deal.status}_time"
    current = getattr(deal, own) if before == deal.status and not is_new else None
    given = taken.get(own) or (taken.get("close_time") if not current else None)
    moment = parsed_moment(given) if given else (current or company.clock.text())
    close = parsed_moment(taken["close_time"]) if taken.get("close_time") else None
    deal.won_time, deal.lost_time = (moment, None) if deal.status == "won" else (None, moment)
    if close or taken.get(own) or not current or deal.close_time is None:
        deal.close_time = close or moment
    deal.lost_reason = body.get("lost_reason", deal.lost_reason) if deal.status == "lost" else None
    if deal.status == "won" and deal.first_won_time is None:
        deal.first_won_time = moment


def _archive(company: Company, deal: Deal, body: dict[str, Any]) -> None:
    wanted = body.get("is_archived", deal.is_archived)
    if wanted and (not deal.is_archived or body.get("archive_time")):
        given = body.get("archive_time")
        deal.archive_time = archive_moment(given) if given else company.clock.text()
    elif not wanted:
        deal.archive_time = None
    if wanted != deal.is_archived:
        company.deals_counted += -1 if wanted else 1
    deal.is_archived = wanted


def archive_moment(text: str) -> str:
    """archive_time is taken in v1's form as well."""
    return parsed_moment(text) or parsed_moment(text.replace(" ", "T") + "Z") or rfc3339(0)
