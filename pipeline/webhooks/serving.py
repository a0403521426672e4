"""Puts the receiver behind a port, in the foreground, until the process is told to stop."""

import logging
from contextlib import suppress

import uvicorn

from pipeline.config import Config
from pipeline.serving import BACKLOG, listening
from pipeline.webhooks.receiver import Receiver
from pipeline.webhooks.writer import Writer, inbox_engine

_LOG = logging.getLogger("pipeline")
LAST_ANSWERS = 20  # seconds that open requests have when the end comes


def serve(warehouse: str, config: Config, *, secret: str, host: str, port: int) -> None:
    """Receives until SIGTERM or SIGINT; what is being answered then is answered first."""
    divisions = {
        administration.division: administration.name
        for administration in config.administrations
        if administration.source == "exact_online"
    }
    engine = inbox_engine(warehouse)
    receiver = Receiver(Writer(engine), secret=secret, divisions=divisions)
    with listening(host, port) as listener:
        settings = uvicorn.Config(
            receiver.application(),
            log_config=None,
            log_level="error",  # what is wrong with somebody's HTTP is not worth a line each time
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=LAST_ANSWERS,
        )
        _LOG.info("receiving Exact Online's webhooks on http://%s:%s/webhooks/exact", host, port)
        with suppress(KeyboardInterrupt):  # told to stop, and all is answered
            uvicorn.Server(settings).run(sockets=[listener])
    engine.dispose()
