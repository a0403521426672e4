"""Pipelines and their stages."""

from typing import Any

from pipeline.sandbox.pipedrive import checks, pictures, queries
from pipeline.sandbox.pipedrive.checks import nullable
from pipeline.sandbox.pipedrive.company import Company
from pipeline.sandbox.pipedrive.paging import listing, sort_moment
from pipeline.sandbox.pipedrive.refusals import not_found
from pipeline.sandbox.pipedrive.requests import Call, Route, Shape, answer, page
from pipeline.sandbox.pipedrive.rows import Pipeline, Stage
from pipeline.sandbox.wire import Response

_SORT = {
    "update_time": sort_moment,
    "add_time": lambda row: row.add_time,
    "order_nr": lambda row: row.order_nr,
}


def _the(call: Call, entity: str) -> Any:
    row = call.company.table(entity).get(call.ids[0])
    if row is None:
        raise not_found(entity.capitalize(), call.company.settings.not_found_code)
    return row


def _pipelines(call: Call) -> Response:
    table = call.company.pipelines
    found, cursor = listing(call, table.rows, table.ids, lambda row: not row.is_deleted, _SORT)
    return page(call, [pictures.pipeline(row) for row in found], cursor)


def _pipeline(call: Call) -> Response:
    return answer(pictures.pipeline(_the(call, "pipeline")))


def _create_pipeline(call: Call) -> Response:
    company = call.company
    place = 1 + max((row.order_nr for row in company.pipelines.live()), default=-1)
    row = Pipeline(company.pipelines.next_id, company.clock.text(), order_nr=place, **call.body)
    company.pipelines.add(row)
    company.created("pipeline", row)
    return answer(pictures.pipeline(row))


def _change_pipeline(call: Call) -> Response:
    row = _the(call, "pipeline")
    with call.company.editing("pipeline", row):
        for key, value in call.body.items():
            setattr(row, key, value)
    return answer(pictures.pipeline(row))


def _delete_pipeline(call: Call) -> Response:
    row = _the(call, "pipeline")
    remove_pipeline(call.company, row)
    return answer({"id": row.id})


def remove_pipeline(company: Company, row: Pipeline) -> None:
    """A pipeline takes its stages and deals along."""
    for deal in list(company.deals.live()):
        if deal.pipeline_id == row.id:
            company.delete("deal", deal)
    for stage in list(company.stages.live()):
        if stage.pipeline_id == row.id:
            company.delete("stage", stage)
    company.delete("pipeline", row)


def _stages(call: Call) -> Response:
    table, pipeline_id = call.company.stages, call.query.get("pipeline_id")
    keep = lambda row: not row.is_deleted and pipeline_id in (None, row.pipeline_id)  # noqa: E731
    found, cursor = listing(call, table.rows, table.ids, keep, _SORT)
    return page(call, [pictures.stage(row) for row in found], cursor)


def _stage(call: Call) -> Response:
    return answer(pictures.stage(_the(call, "stage")))


def _create_stage(call: Call) -> Response:
    row = new_stage(call.company, call.body)
    return answer(pictures.stage(row))


def new_stage(company: Company, body: dict[str, Any]) -> Stage:
    """A stage at the end of its pipeline."""
    siblings = [row.order_nr for row in company.stages.live() if row.pipeline_id == body["pipeline_id"]]
    row = Stage(company.stages.next_id, company.clock.text(), order_nr=1 + max(siblings, default=0), **body)
    company.stages.add(row)
    company.created("stage", row)
    return row


def _change_stage(call: Call) -> Response:
    row, company = _the(call, "stage"), call.company
    moves = call.body.get("pipeline_id", row.pipeline_id) != row.pipeline_id
    with company.editing("stage", row):
        for key, value in call.body.items():
            setattr(row, key, value)
    for deal in company.deals.rows.values() if moves else ():
        if deal.stage_id == row.id:
            deal.pipeline_id = row.pipeline_id
    return answer(pictures.stage(row))


def _delete_stage(call: Call) -> Response:
    row = _the(call, "stage")
    remove_stage(call.company, row)
    return answer({"id": row.id})


def remove_stage(company: Company, row: Stage) -> None:
    """Deals of a stage that goes away move to the first one that is left; without one they go with it."""
    company.delete("stage", row)
    refuge = company.first_stage(row.pipeline_id)
    for deal in list(company.deals.live()):
        if deal.stage_id != row.id:
            continue
        if refuge is None:
            company.delete("deal", deal)
            continue
        with company.editing("deal", deal):
            deal.stage_id, deal.stage_change_time = refuge.id, company.clock.text()


_PIPELINE: dict[str, checks.Check] = {"name": checks.filled_text, "is_deal_probability_enabled": checks.boolean}
STAGE_KEYS: dict[str, checks.Check] = {
    "name": checks.filled_text,
    "pipeline_id": checks.record_id,
    "deal_probability": checks.percentage,
    "is_deal_rot_enabled": checks.boolean,
    "days_to_rotten": nullable(checks.record_id),
}
_PIPELINES_QUERY = queries.page("id", "update_time", "add_time")
_STAGES_QUERY = {"pipeline_id": queries.whole, **queries.page("id", "update_time", "add_time", "order_nr")}
ROUTES = [
    Route("GET", "/api/v2/pipelines", _pipelines, 5, _PIPELINES_QUERY),
    Route("GET", "/api/v2/pipelines/{id}", _pipeline, 1),
    Route("POST", "/api/v2/pipelines", _create_pipeline, 5, body=Shape(_PIPELINE, ("name",))),
    Route("PATCH", "/api/v2/pipelines/{id}", _change_pipeline, 5, body=Shape(_PIPELINE)),
    Route("DELETE", "/api/v2/pipelines/{id}", _delete_pipeline, 3),
    Route("GET", "/api/v2/stages", _stages, 5, _STAGES_QUERY),
    Route("GET", "/api/v2/stages/{id}", _stage, 1),
    Route("POST", "/api/v2/stages", _create_stage, 5, body=Shape(STAGE_KEYS, ("name", "pipeline_id"))),
    Route("PATCH", "/api/v2/stages/{id}", _change_stage, 5, body=Shape(STAGE_KEYS)),
    Route("DELETE", "/api/v2/stages/{id}", _delete_stage, 3),
]
