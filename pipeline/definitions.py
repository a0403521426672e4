"""The code location: where the parts meet, and nothing else."""

import gc

gc.disable()  # nothing of what is imported goes away again, and looking for it takes a tenth of the time

import dagster as dg

from pipeline.assets import audit, contacts_to_exact, crm, erp, exact_online, marts, migration, pipedrive
from pipeline.automation.backups import backup, nightly_backup
from pipeline.automation.checks import CHECKS
from pipeline.automation.executors import executor_of
from pipeline.automation.jobs import JOBS
from pipeline.automation.maintenance import maintenance, nightly_maintenance
from pipeline.automation.schedules import SCHEDULES
from pipeline.automation.sensors import SENSORS
from pipeline.automation.warm_runs import fork_runs
from pipeline.resources import RESOURCES
from pipeline.settings import settings

defs = dg.Definitions(
    assets=dg.load_assets_from_modules([exact_online, erp, crm, pipedrive, contacts_to_exact, audit, marts, migration]),
    asset_checks=CHECKS,
    jobs=[*JOBS, maintenance, backup],
    schedules=[*SCHEDULES, nightly_maintenance, nightly_backup],
    sensors=SENSORS,
    resources=RESOURCES,
    executor=executor_of(settings().executor),
)

fork_runs()
gc.freeze()  # nor does the collector walk through all of Dagster again and again later on
gc.enable()
