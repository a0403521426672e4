"""Errors, named by what to do next.

A layer raises one of these and nothing else for what it expects to go wrong; `assets/failures.py` turns them into
Dagster's failures and `cli.py` into a sentence and an exit status. No vendor's words and no retry loops here.
"""


class PipelineError(Exception):
    """Something expected went wrong; the message says what it was and what to do."""


class RetryLater(PipelineError):
    """The other side is busy or broken; the same request may work later."""


class GiveUp(PipelineError):
    """The same request will get the same answer; a person must look."""


class HoldRow(PipelineError):
    """One record was refused or can't be decided; the others go on, and this one is shown with the reason."""


class BudgetSpent(PipelineError):
    """The day's budget for this kind of work is used up; what is left is kept for the next day."""


class OutcomeUnknown(PipelineError):
    """A write was sent and its answer never came: it must be looked up before it is tried again."""


class ConfigurationError(GiveUp):
    """pipeline.yaml or the environment is wrong; the message names the place and the mend."""
