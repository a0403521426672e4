"""The seeded wholesaler of homeware that both simulators know: the same seed gives the same company.

Here is only what it consists of. Its books and what can be done to them stand in `company_state.py`, what it sells, to
whom and what was ordered in `company_catalogue.py`, `company_customers.py` and `company_orders.py`.
"""

from datetime import date, datetime, time

from pipeline.sandbox.company_books import DIVISION
from pipeline.sandbox.company_catalogue import agree_prices, stock_catalogue
from pipeline.sandbox.company_clock import COMPANY_ZONE, SandboxClock
from pipeline.sandbox.company_customers import employ, register_customers
from pipeline.sandbox.company_odd import add_oddities
from pipeline.sandbox.company_orders import take_orders
from pipeline.sandbox.company_prices import draw_up_price_lists
from pipeline.sandbox.company_state import Company

__all__ = ["DIVISION", "Company", "seeded_company"]


def seeded_company(
    *, orders: int = 400, seed: int = 1, today: date | None = None, odd: bool = False, products: int = 200
) -> Company:
    """A wholesaler with twelve months of orders up to today; `odd` adds one of everything that should not happen."""
    start = datetime.combine(today, time(12), COMPANY_ZONE) if today else None
    company = Company(seed=seed, clock=SandboxClock(start=start))
    employ(company)
    stock_catalogue(company, products)
    register_customers(company, max(20, orders // 5))
    agree_prices(company)
    draw_up_price_lists(company)
    company.counts_stock = False
    take_orders(company, orders)
    company.counts_stock = True
    if odd:
        add_oddities(company)
    return company
