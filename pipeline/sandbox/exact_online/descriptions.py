"""The words of statuses and the like in other languages, for whoever asks with the header `CustomDescriptionLanguage`.

Without it they come in the language of the user whose consent the app works with; that is why nothing may be decided
by them.
"""

from typing import Any

WORDS: dict[str, dict[str, str]] = {
    "nl": {
        "Partial": "Gedeeltelijk",
        "Complete": "Compleet",
        "Cancelled": "Geannuleerd",
        "Awaiting approval": "Wacht op goedkeuring",
        "Automatically": "Automatisch",
        "Approved": "Goedgekeurd",
        "Draft": "Concept",
        "Processed": "Verwerkt",
        "Invoice": "Factuur",
        "Credit note": "Creditnota",
    },
    "en": {
        "Contant": "Cash",
        "Binnen 14 dagen": "Within 14 days",
        "Binnen 30 dagen": "Within 30 days",
        "BTW hoog tarief, exclusief": "VAT high rate, excluded",
        "Magazijn": "Warehouse",
        "Buitenmagazijn": "Outer warehouse",
        "Verkoopboek": "Sales journal",
        "Verkoopfactuur": "Sales invoice",
        "Inkoopfactuur": "Purchase invoice",
        "Diversen": "Miscellaneous",
    },
    "de": {
        "Open": "Offen",
        "Partial": "Teilweise",
        "Complete": "Vollständig",
        "Cancelled": "Storniert",
        "Binnen 14 dagen": "Innerhalb von 14 Tagen",
        "Binnen 30 dagen": "Innerhalb von 30 Tagen",
    },
}
TRANSLATED = ("StatusDescription", "TypeDescription", "ConditionDescription", "ConditionSalesDescription")
TRANSLATED += ("VATCodeDescription", "WarehouseDescription", "JournalDescription")


def described_in(data: Any, language: str) -> Any:
    """The same rows with their descriptions in a language (`nl-NL`); one that nobody speaks here changes nothing."""
    words = WORDS.get(language[:2].lower())
    if words is None:
        return data
    if isinstance(data, list):
        return [described_in(row, language) for row in data]
    if not isinstance(data, dict):
        return data
    return {
        name: words.get(value, value)
        if isinstance(value, str) and name.endswith(TRANSLATED)
        else described_in(value, language)
        for name, value in data.items()
    }
