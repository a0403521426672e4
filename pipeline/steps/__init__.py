"""What an asset does when it is materialised: read, call a pure function, write. No Dagster here.

This is where the outside world, the rules and the warehouse meet; each of them knows nothing of the others.
"""
