"""`pipeline webhooks --port P` receives in the foreground; `subscribe`, `list` and `unsubscribe` tell Exact where."""

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.config import Config
from pipeline.sentences import FAILED, working
from pipeline.settings import settings

if TYPE_CHECKING:
    from pipeline.exact_online.webhooks import Outcome

webhooks = typer.Typer()
Only = Annotated[str | None, typer.Option("--administration", help="Only this one.")]


@webhooks.callback(invoke_without_command=True)
def receive(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to receive on.")] = None,
    host: Annotated[str, typer.Option(help="Address to receive on; in a container 0.0.0.0.")] = "127.0.0.1",
) -> None:
    """Exact Online's webhooks: with --port received in the foreground; subscribed to, listed and ended.

    POST /webhooks/exact takes them, GET /health says whether the database answers. A proxy with a certificate belongs
    in front, since Exact sends to https only.
    """
    if context.invoked_subcommand:
        return
    if port is None:
        raise typer.BadParameter("--port is missing; or choose subscribe, list or unsubscribe.")
    with working() as (_, config):
        from pipeline.webhooks.serving import serve

        secret = settings().required("EXACT_WEBHOOK_SECRET")
        serve(settings().warehouse_url, config, secret=secret, host=host, port=port)


@webhooks.command()
def subscribe(
    administration: Only = None,
    replace: Annotated[bool, typer.Option("--replace", help="Move what leads to another address here.")] = False,
) -> None:
    """Has Exact Online tell PUBLIC_URL/webhooks/exact what changes; doing it twice changes nothing."""
    with working() as (engine, config):
        from pipeline.connections import exact_client
        from pipeline.exact_online import webhooks as subscriptions

        callback, failed = settings().webhook_callback, False
        for name in _chosen(config, administration):
            client = exact_client(settings(), config, engine, name)
            for outcome in subscriptions.subscribe(client, callback, replace=replace):
                _say(name, outcome)
                failed = failed or bool(outcome.problem)
        if failed:
            raise typer.Exit(FAILED)


@webhooks.command("list")
def show(administration: Only = None) -> None:
    """What Exact Online tells, and where."""
    with working() as (engine, config):
        from pipeline.connections import exact_client
        from pipeline.exact_online import webhooks as subscriptions

        for name in _chosen(config, administration):
            found = subscriptions.subscriptions(exact_client(settings(), config, engine, name))
            for row in sorted(found, key=lambda row: row.topic):
                print(f"{name}  {row.topic:16}{row.callback_url}")
            if not found:
                print(f"{name}  nothing is subscribed")


@webhooks.command()
def unsubscribe(administration: Only = None) -> None:
    """Ends what leads to PUBLIC_URL/webhooks/exact; what leads elsewhere stays."""
    with working() as (engine, config):
        from pipeline.connections import exact_client
        from pipeline.exact_online import webhooks as subscriptions

        callback = settings().webhook_callback
        for name in _chosen(config, administration):
            for outcome in subscriptions.unsubscribe(exact_client(settings(), config, engine, name), callback):
                _say(name, outcome)


def _chosen(config: Config, name: str | None) -> list[str]:
    chosen = [config.administration(name)] if name else config.administrations
    return [administration.name for administration in chosen]


def _say(administration: str, outcome: "Outcome") -> None:
    problem = f": {outcome.problem}" if outcome.problem else ""
    print(f"{administration}  {outcome.topic:16}{outcome.done}{problem}")
