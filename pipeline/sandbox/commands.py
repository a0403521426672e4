"""`pipeline sandbox exact|pipedrive`: one simulator in the foreground, filled with the seeded company."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipeline.sandbox.company import Company

sandbox = typer.Typer(help="Simulated Exact Online and Pipedrive, behind a real port.", no_args_is_help=True)

Port = Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")]
Orders = Annotated[int | None, typer.Option(min=0, help="How many orders the company has.")]
OrdersFrom = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="Parquet file with real order lines.")
]
SEEDED_ORDERS = 400


@sandbox.command()
def exact(  # noqa: PLR0913, PLR0917  (options of a command, given by name)
    port: Port,
    orders: Orders = None,
    orders_from: OrdersFrom = None,
    seed: Annotated[int, typer.Option(help="Another company for another number.")] = 1,
    odd: Annotated[
        bool, typer.Option("--odd", help="With the odd cases: unknown accounts, emoji, 1,114 lines …")
    ] = False,
    limits: Annotated[bool, typer.Option(help="Minute and day limits.")] = True,
    live: Annotated[
        bool, typer.Option("--live", help="The wholesaler trades: orders come in, are delivered, invoiced, paid …")
    ] = False,
    speed: Annotated[
        float,
        typer.Option(
            min=0.01, max=100_000, help="With --live: how many times as fast as real a day of business passes."
        ),
    ] = 60,
    switch: Annotated[
        list[str] | None, typer.Option(help="A switch of docs/sandbox.md, as NAME=VALUE; may be given again.")
    ] = None,
) -> None:
    """Exact Online with the books of a homeware wholesaler, division 123456.

    With --live some 250 things happen in a day of business, most of them late in the morning and in the afternoon. At
    the usual speed of 60 such a day takes eleven minutes, the quiet night one of them. The clock stays the real one:
    new orders are dated today, tokens live ten real minutes.
    """
    from pipeline.sandbox.exact_online import simulated_exact_online
    from pipeline.sandbox.exact_online.settings import switches
    from pipeline.sandbox.serving import serve

    try:
        settings: dict[str, Any] = {"limits": limits} | switches(switch or [])
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None
    simulator = simulated_exact_online(_company(orders, orders_from, seed=seed, odd=odd), **settings)
    if live:
        simulator.live(speed=speed, seed=seed, told=lambda line: print(line, flush=True))
    try:
        serve(simulator, port=port)
    finally:
        simulator.stop()


def _company(orders: int | None, orders_from: Path | None, *, seed: int, odd: bool) -> "Company":
    from pipeline.sandbox.company import seeded_company
    from pipeline.sandbox.retail import company_from_retail

    if orders_from:
        return company_from_retail(orders_from, orders=orders)
    return seeded_company(orders=SEEDED_ORDERS if orders is None else orders, seed=seed, odd=odd)


@sandbox.command()
def pipedrive(  # noqa: PLR0917  (options of a command, given by name)
    port: Port,
    daily_tokens: Annotated[int, typer.Option(min=0, help="The day's tokens; 0: no such limit.")] = 900_000,
    burst: Annotated[int, typer.Option(min=0, help="Requests in two seconds; 0: no such limit.")] = 100,
    plan: Annotated[str | None, typer.Option(help="lite, growth, premium or ultimate, with all its limits.")] = None,
    seats: Annotated[int, typer.Option(min=1, help="Seats of the plan.")] = 6,
    switch: Annotated[
        list[str] | None, typer.Option(help="A switch of docs/sandbox.md, as NAME=VALUE; may be given again.")
    ] = None,
) -> None:
    """Pipedrive with a fresh account and seven users."""
    from pipeline.sandbox.pipedrive import answers, simulated_pipedrive
    from pipeline.sandbox.pipedrive import plan as limits_of_plan
    from pipeline.sandbox.serving import serve

    limits: dict[str, Any] = {"daily_tokens": daily_tokens or None, "burst": burst or None}
    limits["search_burst"] = 10 if burst else None
    try:
        chosen = limits_of_plan(plan, seats=seats) if plan else limits | {"deal_cap": None}
        simulator = simulated_pipedrive(**(chosen | answers(switch or [])))
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None
    serve(simulator, port=port)
