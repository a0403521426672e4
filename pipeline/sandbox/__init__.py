"""Simulated Exact Online and Pipedrive, for demos, tests and anyone without accounts.

Written from the vendors' documented behaviour, never from this project's clients, and importing nothing of them:
a simulator that agrees with a client by construction proves nothing.
"""
