"""Imported for what it leaves in memory: the code location with its jobs put together. See `warm_runs.py`."""

from pipeline.definitions import defs

defs.get_repository_def().get_all_jobs()
