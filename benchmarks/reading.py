"""Deals and their lines back from the simulated Pipedrive: our full audit beside dlt's `rest_api` source.

The audit reads all records, compares each with what is remembered, and keeps what differs; dlt reads deals and, one
call a deal, their lines, and merges them into tables of the same PostgreSQL. Timed is each one's work without the
start of its process.
"""

import argparse
import json
import os
import subprocess

from sqlalchemy import make_url

from benchmarks import peers
from benchmarks.load import PIPELINE, surroundings, synchronised
from benchmarks.table import Row, run

FASTER = 1.0
_DLT = """
import json, sys, time
import dlt
from dlt.sources.rest_api import rest_api_source
address, warehouse, home = sys.argv[1:]
pages = {"type": "cursor", "cursor_path": "additional_data.next_cursor", "cursor_param": "cursor"}
deals = {"path": "api/v2/deals", "params": {"limit": 500}, "paginator": pages, "data_selector": "data"}
lines = deals | {"path": "api/v2/deals/{resources.deals.id}/products"}
source = rest_api_source({
    "client": {"base_url": address, "headers": {"x-api-token": "sandbox"}},
    "resource_defaults": {"primary_key": "id", "write_disposition": "merge"},
    "resources": [{"name": "deals", "endpoint": deals}, {"name": "deal_products", "endpoint": lines}],
})
began = time.monotonic()
load = dlt.pipeline("reading", pipelines_dir=home, dataset_name="dlt_reading",
    destination=dlt.destinations.postgres(warehouse))
load.run(source).raise_on_failed_jobs()
rows = load.last_trace.last_normalize_info.row_counts
print(json.dumps({"seconds": time.monotonic() - began, "rows": rows["deals"] + rows["deal_products"]}))
"""


def options(parser: argparse.ArgumentParser) -> None:
    """What it can be told."""
    parser.add_argument("--orders", type=int, default=500)
    parser.add_argument("--peers", action="store_true", help="install dlt first, where it isn't")


def measure(chosen: argparse.Namespace) -> list[Row]:
    """Rows a second of both."""
    if chosen.peers and not peers.dlt_is_there():
        peers.install_dlt()
    if not peers.dlt_is_there():
        return [Row(what="deals and lines read back a second, beside dlt", said="dlt is not installed: --peers")]
    with surroundings(chosen.orders, None) as pipedrive:
        said, _ = synchronised()
        rows = said["deals"]["created"] + said["deal_products"]["created"]
        command = [*PIPELINE, "audit", "--full", "--json"]
        ours = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        script = [str(peers.DLT / "bin" / "python"), "-c", _DLT]
        # dlt wants both said; the embedded database asks for no password, and its socket goes before the host.
        url = make_url(os.environ["WAREHOUSE_URL"]).set(host="localhost", password="unused")
        script += [pipedrive, url.render_as_string(hide_password=False), os.environ["PIPELINE_HOME"]]
        finished = subprocess.run(script, check=True, stdout=subprocess.PIPE, text=True)
    theirs = json.loads(finished.stdout.splitlines()[-1])
    what = f"deals and lines read back a second, {rows:,} rows"
    speed = theirs["rows"] / theirs["seconds"]
    return [Row(what=what, ours=rows / ours["seconds"], beside=speed, named="dlt", line=FASTER, at_least=True)]


if __name__ == "__main__":
    run(__doc__, options, measure)
