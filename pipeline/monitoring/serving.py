"""Puts the figures behind a port, in the foreground, until the process is told to stop: /metrics and /health."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import uvicorn
from prometheus_client import CollectorRegistry
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.monitoring.collector import PipelineCollector, reading_engine
from pipeline.serving import figures, listening

_LOG = logging.getLogger("pipeline")


def application(engine: Engine, folders: Mapping[str, Path]) -> Starlette:
    """The ASGI application. A scrape with the database away is answered 200 with `pipeline_up` 0, as exporters do."""
    registry = CollectorRegistry()
    registry.register(PipelineCollector(engine, folders))

    async def metrics(request: Request) -> Response:
        return await figures(request, registry)

    async def health(_: Request) -> Response:
        answers = await run_in_threadpool(_answers, engine)
        return JSONResponse({"database": "answers" if answers else "does not answer"}, 200 if answers else 503)

    routes = [Route("/metrics", metrics, methods=["GET"]), Route("/health", health, methods=["GET"])]
    return Starlette(routes=routes)


def serve(warehouse: str, folders: Mapping[str, Path], *, host: str, port: int) -> None:
    """Tells figures until SIGTERM or SIGINT."""
    engine = reading_engine(warehouse)
    with listening(host, port) as listener:
        settings = uvicorn.Config(
            application(engine, folders), log_config=None, log_level="error", access_log=False, server_header=False
        )
        _LOG.info("figures for Prometheus on http://%s:%s/metrics", host, port)
        with suppress(KeyboardInterrupt):
            uvicorn.Server(settings).run(sockets=[listener])
    engine.dispose()


def _answers(engine: Engine) -> bool:
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True
