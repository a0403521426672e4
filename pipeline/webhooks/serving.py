"""Puts the receiver behind a port, in the foreground, until the process is told to stop."""

import logging
import os
import socket
from contextlib import suppress

import uvicorn

from pipeline.config import Config
from pipeline.errors import ConfigurationError
from pipeline.webhooks.receiver import Receiver
from pipeline.webhooks.writer import Writer, inbox_engine

_LOG = logging.getLogger("pipeline")
LAST_ANSWERS = 20  # seconds that open requests have when the end comes
BACKLOG = 2048


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


def listening(host: str, port: int) -> socket.socket:
    """A socket that takes connections; raises ConfigurationError where the port is taken or not allowed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ConfigurationError(f"Cannot listen on {host}:{port}: {reason}; choose another --port.") from None
