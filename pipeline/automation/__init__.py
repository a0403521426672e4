"""When things run: partitions, jobs, schedules, sensors, checks, and Dagster's storage. What runs is in `assets/`."""
