"""What no person thinks of sending, found by coverage.

`python -m pipeline_tests.fuzz.coverage FOLDER -max_total_time=60`: the folder keeps the inputs that reached new code,
further arguments are libFuzzer's. Where something is answered or kept wrongly it ends with a traceback and a file.
"""

import logging
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["pipeline.webhooks.receiver", "pipeline.webhooks.signature", "json"]):
    from pipeline_tests.fuzz.taking import Taking, seeds


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds()):
        (folder / f"seed-{number}").write_bytes(seed)
    logging.disable()
    atheris.Setup(sys.argv, Taking())
    atheris.Fuzz()


main()
