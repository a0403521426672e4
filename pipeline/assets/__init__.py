"""What exists: an asset for each table, a file for each layer. A body does a step and reports; nothing is decided here.

Dagster reads annotations at run time, so no file here postpones them.
"""

import warnings

import dagster as dg

# What of Dagster's is young is chosen with open eyes (uv.lock pins it); every process would say so on thirty lines.
warnings.filterwarnings("ignore", category=dg.BetaWarning)
