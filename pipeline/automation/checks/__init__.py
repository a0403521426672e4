"""What must hold of every table: one file a layer. Each check that fails names up to ten rows that break its rule.

LIVE checks go along with the runs that write to Pipedrive. They look at what is about to be written and at small
tables, since people wait for those runs. NIGHTLY ones look over whole tables, in the job `checks`. What the database
itself enforces has no check: primary keys, the order of a line, the deal of a row, and columns that can't be empty.
"""

from pipeline.automation.checks import crm, erp, exact_online, marts, pipedrive
from pipeline.automation.checks.rules import bundle

BEFORE_WRITING = [
    bundle("deals_before_they_are_written", crm.DEALS_BEFORE_WRITING),
    bundle("rows_before_they_are_written", crm.ROWS_BEFORE_WRITING),
]
AFTER_WRITING = bundle("what_was_written", pipedrive.AFTER_WRITING)
LIVE = [*BEFORE_WRITING, AFTER_WRITING]
BACK = bundle("persons_carried_back", pipedrive.CARRIED_BACK)
AUDITED = bundle("what_an_audit_found", pipedrive.AUDITED)
RECONCILED = bundle("what_was_reconciled", marts.RECONCILED)
NIGHTLY = [
    bundle("exact_online_tables", exact_online.NIGHTLY),
    bundle("erp_tables", erp.NIGHTLY),
    bundle("crm_tables", crm.NIGHTLY),
    bundle("pipedrive_tables", pipedrive.NIGHTLY),
    bundle("marts_tables", marts.NIGHTLY),
]
CHECKS = [*LIVE, BACK, AUDITED, RECONCILED, *NIGHTLY]
RULES = [
    *(*crm.DEALS_BEFORE_WRITING, *crm.ROWS_BEFORE_WRITING, *pipedrive.AFTER_WRITING, *pipedrive.CARRIED_BACK),
    *(*pipedrive.AUDITED, *marts.RECONCILED),
    *(*exact_online.NIGHTLY, *erp.NIGHTLY, *crm.NIGHTLY, *pipedrive.NIGHTLY, *marts.NIGHTLY),
]
