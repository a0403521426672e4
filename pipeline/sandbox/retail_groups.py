"""Which item group a real product belongs to: lists lying beside the data where there are any, else rules by keyword.

Rules are `{"code", "name", "words"}` or `{"code", "name", "stockcode_regex"}` in order; the first that matches wins.
"""

import csv
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REST = {"code": "990", "name": "Overig", "words": []}
OWN_RULES = [
    {"code": "000", "name": "Diensten en kosten", "stockcode_regex": r"^(?!\d{5}).*$"},
    {"code": "100", "name": "Kerst", "words": ["CHRISTMAS", "XMAS", "SANTA", "BAUBLE", "ADVENT"]},
    {"code": "110", "name": "Kaarsen", "words": ["CANDLE", "T-LIGHT", "LANTERN", "INCENSE"]},
    {"code": "120", "name": "Verlichting", "words": ["LIGHT", "LAMP", "LAMPSHADE"]},
    {"code": "130", "name": "Tassen", "words": ["BAG", "SHOPPER", "PURSE"]},
    {
        "code": "140",
        "name": "Kussens en textiel",
        "words": ["CUSHION", "QUILT", "DOORMAT", "TOWEL", "HOT WATER BOTTLE"],
    },
    {"code": "150", "name": "Feest", "words": ["PARTY", "BUNTING", "GARLAND", "NAPKIN", "BIRTHDAY"]},
    {"code": "160", "name": "Papier en kaarten", "words": ["CARD", "WRAP", "NOTEBOOK", "PENCIL", "RIBBON"]},
    {"code": "170", "name": "Servies", "words": ["MUG", "CUP", "PLATE", "BOWL", "TEAPOT", "JUG"]},
    {"code": "180", "name": "Vazen en glas", "words": ["VASE", "GLASS", "BOTTLE"]},
    {"code": "190", "name": "Opbergen", "words": ["BOX", "TIN", "BASKET", "JAR", "STORAGE"]},
    {"code": "200", "name": "Wanddecoratie", "words": ["SIGN", "FRAME", "CLOCK", "MIRROR", "HOOK"]},
    {"code": "210", "name": "Tuin", "words": ["GARDEN", "PLANT", "BIRD", "WATERING"]},
]


class RetailGroups:
    """Code and name of the item group of each stock code."""

    def __init__(self, folder: Path) -> None:
        rules_file, list_file = folder / "itemgroup_rules.json", folder / "itemgroup_assignment.csv"
        rules = json.loads(rules_file.read_text("utf-8"))["rules"] if rules_file.is_file() else [*OWN_RULES, REST]
        self._rules = [(_pattern(rule), "stockcode_regex" in rule, (rule["code"], rule["name"])) for rule in rules]
        self._assigned: dict[str, tuple[str, str]] = {}
        if list_file.is_file():
            with list_file.open(encoding="utf-8", newline="") as lines:
                self._assigned = {
                    line["StockCode"]: (line["ItemGroup"], line["ItemGroupName"]) for line in csv.DictReader(lines)
                }

    def of(self, code: str, description: str) -> tuple[str, str]:
        """The group of one product."""
        if code in self._assigned:
            return self._assigned[code]
        text = " ".join(description.upper().split())
        for pattern, on_code, group in self._rules:
            if pattern.search(code if on_code else text):
                return group
        return REST["code"], REST["name"]


def _pattern(rule: Mapping[str, object]) -> re.Pattern[str]:
    if "stockcode_regex" in rule:
        return re.compile(str(rule["stockcode_regex"]))
    words: Any = rule.get("words") or []
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, words))})(?:S|ES)?\b" if words else "")
