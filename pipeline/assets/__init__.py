"""What exists: an asset for each table, a file for each layer. A body does a step and reports; nothing is decided here.

Dagster reads annotations at run time, so no file here postpones them.
"""
