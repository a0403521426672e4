"""What Exact Online still takes and what it refused, shared by all processes; why no token is asked for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.sql.schema import SchemaItem

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ADMINISTRATION = "name of the administration, as in pipeline.yaml"
_MOMENT = sa.DateTime(timezone=True)


def _column(
    name: str, kind: sa.types.TypeEngine, comment: str, *parts: SchemaItem, required: bool = False
) -> sa.Column:
    return sa.Column(name, kind, *parts, nullable=not required, comment=comment)


def upgrade() -> None:
    for column in (
        _column("stopped", sa.Text(), "why no token is asked for; empty while all is well"),
        _column(
            "stopped_for", sa.Text(), "SHA-256 of the credentials that were refused: with others it is asked again"
        ),
        _column("stopped_until", _MOMENT, "until when none is asked for (UTC); empty: until a person consented again"),
    ):
        op.add_column("tokens", column, schema="state")
    op.create_table(
        "exact_limits",
        _column("administration", sa.Text(), _ADMINISTRATION, required=True),
        _column("minute_limit", sa.BigInteger(), "calls a minute"),
        _column("minute_left", sa.BigInteger(), "calls left in the minute"),
        _column("minute_ends", _MOMENT, "end of that minute, by our clock (UTC)"),
        _column("day_limit", sa.BigInteger(), "calls a day"),
        _column("day_left", sa.BigInteger(), "calls left in the day"),
        _column("day_ends", _MOMENT, "end of that day, by our clock (UTC)"),
        sa.PrimaryKeyConstraint("administration"),
        schema="state",
        comment="Calls that Exact Online still takes; every process takes its calls out of here.",
    )
    op.create_table(
        "exact_refusals",
        _column("number", sa.BigInteger(), "order of their coming", sa.Identity(always=True), required=True),
        _column("administration", sa.Text(), _ADMINISTRATION, required=True),
        _column("endpoint", sa.Text(), "division and resource that was asked", required=True),
        _column("status", sa.Integer(), "400, 401, 403 or 404", required=True),
        _column("said", sa.Text(), "Exact's reason", required=True),
        _column("refused_at", _MOMENT, "when (UTC)", required=True),
        sa.PrimaryKeyConstraint("number"),
        schema="state",
        comment="Refusals of Exact Online within the last hour; ten would close the endpoint.",
    )
    op.create_index("exact_refusals_of_an_endpoint", "exact_refusals", ["administration", "endpoint"], schema="state")
