"""`erp.item_groups` from Exact Online's item groups."""

import pandas as pd

from pipeline.transform.exact_values import trimmed


def to_item_groups(groups: pd.DataFrame, *, administration: str) -> pd.DataFrame:
    """One row a group; a group without a description is called by its code."""
    codes = [trimmed(code) or "" for code in groups["code"]]
    columns = {
        "administration": [administration] * len(groups),
        "item_group_id": groups["id"],
        "item_group_code": codes,
        "item_group": [trimmed(name) or code for name, code in zip(groups["description"], codes, strict=True)],
    }
    return pd.DataFrame({name: pd.Series(list(values), dtype=object) for name, values in columns.items()})
