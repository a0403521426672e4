"""Under which names changes of `erp` and `crm` wait for the marts, see `warehouse/pending.py`."""

REVENUE = "marts/revenue"  # keys are orders
NAMES = "marts/revenue names"  # keys are item groups, customers and salespeople, whichever was renamed
DORMANT = "marts/dormant_customers"  # keys are customers
ORDER_STATUS = "marts/order_status"  # one key, ALL: the table is made as a whole
ALL = "all"
