"""The receiver of Exact Online's webhooks, a program of its own: it takes, checks and keeps, and does nothing else.

Not here: what is done about a notification (the sensor `exact_webhooks`), and Dagster.
"""
