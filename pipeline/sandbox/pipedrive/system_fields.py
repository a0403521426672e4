"""The fields every account has from its first day: code, name, type, options. Data only."""

from typing import Any

_STATUS = (("open", "Open"), ("won", "Won"), ("lost", "Lost"), ("deleted", "Deleted"))
_VISIBLE = ((1, "Owner & followers"), (3, "Entire company"))
_FREQUENCIES = tuple(
    (word, word.capitalize()) for word in ("one-time", "weekly", "monthly", "quarterly", "semi-annually", "annually")
)
_TIMES = (("add_time", "Created", "date", None), ("update_time", "Updated", "date", None))
_OWNER = ("owner_id", "Owner", "user", None)
_LABELS = ("label_ids", "Labels", "set", ())
_VISIBILITY = ("visible_to", "Visible to", "visible_to", _VISIBLE)

SYSTEM_FIELDS: dict[str, tuple[tuple[str, str, str, Any], ...]] = {
    "deal": (
        ("id", "ID", "int", None),
        ("title", "Title", "varchar", None),
        ("creator_user_id", "Creator", "user", None),
        _OWNER,
        ("value", "Value", "monetary", None),
        ("currency", "Currency of Value", "varchar", None),
        ("person_id", "Contact person", "people", None),
        ("org_id", "Organization", "org", None),
        ("pipeline_id", "Pipeline", "double", None),
        ("stage_id", "Stage", "stage", None),
        ("status", "Status", "status", _STATUS),
        ("probability", "Probability", "int", None),
        *_TIMES,
        ("stage_change_time", "Last stage change", "date", None),
        ("won_time", "Won time", "date", None),
        ("lost_time", "Lost time", "date", None),
        ("close_time", "Deal closed on", "date", None),
        ("lost_reason", "Lost reason", "varchar_options", None),
        ("expected_close_date", "Expected close date", "date", None),
        ("origin", "Source origin", "varchar", None),
        ("is_archived", "Archive status", "boolean", None),
        ("archive_time", "Archive time", "date", None),
        _LABELS,
        _VISIBILITY,
    ),
    "organization": (
        ("id", "ID", "int", None),
        ("name", "Name", "varchar", None),
        _OWNER,
        ("address", "Address", "address", None),
        *_TIMES,
        ("website", "Website", "varchar", None),
        ("linkedin", "LinkedIn profile", "varchar", None),
        ("industry", "Industry", "enum", ()),
        ("annual_revenue", "Annual revenue", "double", None),
        ("employee_count", "Number of employees", "int", None),
        _LABELS,
        _VISIBILITY,
    ),
    "person": (
        ("id", "ID", "int", None),
        ("name", "Name", "varchar", None),
        ("first_name", "First name", "varchar", None),
        ("last_name", "Last name", "varchar", None),
        _OWNER,
        ("org_id", "Organization", "org", None),
        ("emails", "Email", "varchar", None),
        ("phones", "Phone", "phone", None),
        *_TIMES,
        _LABELS,
        _VISIBILITY,
    ),
    "product": (
        ("id", "ID", "int", None),
        ("name", "Name", "varchar", None),
        ("code", "Product code", "varchar", None),
        ("description", "Description", "text", None),
        ("category", "Category", "enum", ()),
        ("unit", "Unit", "varchar", None),
        ("tax", "Tax %", "double", None),
        ("prices", "Prices", "price_list", None),
        ("is_linkable", "Active", "boolean", None),
        ("billing_frequency", "Billing frequency", "billing_frequency", _FREQUENCIES),
        _OWNER,
        *_TIMES,
        _VISIBILITY,
    ),
    "activity": (
        ("id", "ID", "int", None),
        ("subject", "Subject", "varchar", None),
        ("type", "Type", "varchar", None),
        _OWNER,
        ("deal_id", "Deal", "deal", None),
        ("due_date", "Due date", "date", None),
        ("done", "Done", "boolean", None),
        *_TIMES,
    ),
}
