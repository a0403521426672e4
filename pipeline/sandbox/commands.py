"""`pipeline sandbox exact|pipedrive`: one simulator in the foreground, filled with the seeded company."""

from pathlib import Path
from typing import Annotated

import typer

sandbox = typer.Typer(help="Simulated Exact Online and Pipedrive, behind a real port.", no_args_is_help=True)

Port = Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")]
Orders = Annotated[int | None, typer.Option(min=0, help="How many orders the company has.")]
OrdersFrom = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="Parquet file with real order lines.")
]
SEEDED_ORDERS = 400


@sandbox.command()
def exact(  # noqa: PLR0917  (options of a command, given by name)
    port: Port,
    orders: Orders = None,
    orders_from: OrdersFrom = None,
    seed: Annotated[int, typer.Option(help="Another company for another number.")] = 1,
    odd: Annotated[
        bool, typer.Option("--odd", help="With the odd cases: unknown accounts, emoji, 1,114 lines …")
    ] = False,
    limits: Annotated[bool, typer.Option(help="Minute and day limits.")] = True,
) -> None:
    """Exact Online with the books of a homeware wholesaler, division 123456."""
    from pipeline.sandbox.company import seeded_company
    from pipeline.sandbox.exact_online import simulated_exact_online
    from pipeline.sandbox.retail import company_from_retail
    from pipeline.sandbox.serving import serve

    if orders_from:
        company = company_from_retail(orders_from, orders=orders)
    else:
        company = seeded_company(orders=SEEDED_ORDERS if orders is None else orders, seed=seed, odd=odd)
    serve(simulated_exact_online(company, limits=limits), port=port)


@sandbox.command()
def pipedrive(
    port: Port,
    daily_tokens: Annotated[int, typer.Option(min=0, help="The day's tokens; 0: no such limit.")] = 900_000,
    burst: Annotated[int, typer.Option(min=0, help="Requests in two seconds; 0: no such limit.")] = 100,
) -> None:
    """Pipedrive with a fresh account and seven users."""
    from pipeline.sandbox.pipedrive import simulated_pipedrive
    from pipeline.sandbox.serving import serve

    limits = {"search_burst": 10 if burst else None, "deal_cap": None}
    serve(simulated_pipedrive(daily_tokens=daily_tokens or None, burst=burst or None, **limits), port=port)
