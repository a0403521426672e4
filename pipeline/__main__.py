"""`python -m pipeline` is the console command `pipeline`."""

from pipeline.cli import main

main()
