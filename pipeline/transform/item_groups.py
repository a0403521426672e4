"""`erp.item_groups` from Exact Online's item groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.transform.exact_values import trimmed

if TYPE_CHECKING:
    import pandas as pd  # where it is used it is imported: a run that changes nothing does without


def to_item_groups(groups: pd.DataFrame, *, administration: str) -> pd.DataFrame:
    """One row a group; a group without a description is called by its code."""
    import pandas as pd

    codes = [trimmed(code) or "" for code in groups["code"]]
    columns = {
        "administration": [administration] * len(groups),
        "item_group_id": groups["id"],
        "item_group_code": codes,
        "item_group": [trimmed(name) or code for name, code in zip(groups["description"], codes, strict=True)],
    }
    return pd.DataFrame({name: pd.Series(list(values), dtype=object) for name, values in columns.items()})
