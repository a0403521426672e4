"""Errors, named by what to do next.

A layer raises one of these and nothing else for what it expects to go wrong; `assets/failures.py` turns them into
Dagster's failures and `cli.py` into a sentence and an exit status. No vendor's words and no retry loops here.
"""

from collections.abc import Sequence


class PipelineError(Exception):
    """Something expected went wrong; the message says what it was and what to do."""


class RetryLater(PipelineError):
    """The other side is busy or broken; the same request may work later."""


class GiveUp(PipelineError):
    """The same request will get the same answer; a person must look."""


class HoldRow(PipelineError):
    """One record was refused or can't be decided; the others go on, and this one is shown with the reason.

    `may_be_systematic`: the refusal is of a kind that could hit every record alike.
    """

    def __init__(self, message: str, *, may_be_systematic: bool = False) -> None:
        super().__init__(message)
        self.may_be_systematic = may_be_systematic


class RefusedAlike(GiveUp):
    """One record after the other is refused for the same reason, so the mistake is not in the records."""


class RecordsGone(PipelineError):
    """Records that were linked are no longer there: their links are forgotten and they are looked for anew.

    `kind` is the table of the links, `keys` are theirs; `successor` is the record that took the place of the only one.
    """

    def __init__(self, message: str, *, kind: str, keys: Sequence[str], successor: int | None = None) -> None:
        super().__init__(message)
        self.kind, self.keys, self.successor = kind, keys, successor


class Full(PipelineError):
    """The plan allows no more records of this kind: making new ones pauses, all else goes on."""


class BudgetSpent(PipelineError):
    """The day's budget for this kind of work is used up; what is left is kept for the next day.

    `is_told`: the other side said so, whatever we counted.
    """

    def __init__(self, message: str, *, is_told: bool = False) -> None:
        super().__init__(message)
        self.is_told = is_told


class MadeWay(PipelineError):
    """Somebody with more urgent work waits: what was begun is finished, and the rest goes on after theirs."""


class Blocked(GiveUp):
    """The other side shut us out for a time: nothing at all is sent before it is over."""


class OutcomeUnknown(PipelineError):
    """A write was sent and its answer never came: it must be looked up before it is tried again."""


class ConfigurationError(GiveUp):
    """pipeline.yaml or the environment is wrong; the message names the place and the mend."""
