"""The tables of the warehouse, a module for each schema; the asset `schema/table` owns the table `schema.table`."""

from pipeline.warehouse.tables import crm, erp, exact_online, inbox, marts, pipedrive, state
from pipeline.warehouse.tables.columns import metadata

__all__ = ["crm", "erp", "exact_online", "inbox", "marts", "metadata", "pipedrive", "state"]
