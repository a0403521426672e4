"""Contacts of the ERP and the persons they are in Pipedrive."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ENTITY_TYPE = (
    "EntityType: 2 account, 5 contact, 8 price, 9 item, 10 payment, 12 and 32 order, 13 invoice, 33 order line"
)
_RECORDS = "organizations, persons, products, deals or deal_products"


def upgrade() -> None:
    op.create_table(
        "contacts",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("id", sa.Text(), nullable=False, comment="ID of the contact"),
        sa.Column(
            "timestamp",
            sa.BigInteger(),
            nullable=False,
            comment="row version of the record, higher after every change; a number only Exact can explain",
        ),
        sa.Column("account", sa.Text(), nullable=True, comment="Account: id of the account"),
        sa.Column("first_name", sa.Text(), nullable=True, comment="FirstName"),
        sa.Column("middle_name", sa.Text(), nullable=True, comment="MiddleName"),
        sa.Column("last_name", sa.Text(), nullable=True, comment="LastName"),
        sa.Column("email", sa.Text(), nullable=True, comment="Email"),
        sa.Column("business_email", sa.Text(), nullable=True, comment="BusinessEmail"),
        sa.Column("phone", sa.Text(), nullable=True, comment="Phone"),
        sa.Column("business_phone", sa.Text(), nullable=True, comment="BusinessPhone"),
        sa.Column("mobile", sa.Text(), nullable=True, comment="Mobile"),
        sa.Column("business_mobile", sa.Text(), nullable=True, comment="BusinessMobile"),
        sa.Column("job_title_description", sa.Text(), nullable=True, comment="JobTitleDescription"),
        sa.Column("modified", sa.DateTime(), nullable=True, comment="Modified"),
        sa.PrimaryKeyConstraint("administration", "id"),
        schema="exact_online",
        comment="People at accounts, one row a contact (sync/CRM/Contacts).",
    )
    op.create_index("contacts_by_account", "contacts", ["administration", "account"], schema="exact_online")
    op.create_table(
        "contacts",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("contact_id", sa.Text(), nullable=False, comment="the ERP's id of the contact"),
        sa.Column("customer_id", sa.Text(), nullable=True, comment="account the contact is at"),
        sa.Column("first_name", sa.Text(), nullable=True, comment="first name"),
        sa.Column("middle_name", sa.Text(), nullable=True, comment="what stands between first and last name"),
        sa.Column("last_name", sa.Text(), nullable=True, comment="last name"),
        sa.Column("e_mail", sa.Text(), nullable=True, comment="e-mail address at work, else the private one"),
        sa.Column("phone", sa.Text(), nullable=True, comment="phone number at work, else the private one"),
        sa.Column("mobile", sa.Text(), nullable=True, comment="mobile number at work, else the private one"),
        sa.Column("job_title", sa.Text(), nullable=True, comment="job title"),
        sa.Column("is_deleted", sa.Boolean(), nullable=False, comment="whether the contact was deleted in the ERP"),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=True, comment="last change in the ERP (UTC)"),
        sa.PrimaryKeyConstraint("administration", "contact_id"),
        schema="erp",
        comment="People at customers and other relations, one row a contact.",
    )
    op.create_index("contacts_by_customer", "contacts", ["administration", "customer_id"], schema="erp")
    op.create_table(
        "persons",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("contact_id", sa.Text(), nullable=False, comment='contact in the ERP: "Exact contact-ID"'),
        sa.Column(
            "customer_id",
            sa.Text(),
            nullable=True,
            comment="customer whose organization the person is linked to; empty for one who left",
        ),
        sa.Column("name", sa.Text(), nullable=False, comment="name"),
        sa.Column("e_mail", sa.Text(), nullable=True, comment="e-mail address"),
        sa.Column("phone", sa.Text(), nullable=True, comment="phone number"),
        sa.Column("mobile", sa.Text(), nullable=True, comment="mobile number"),
        sa.PrimaryKeyConstraint("administration", "contact_id"),
        schema="crm",
        comment="Persons Pipedrive should hold, one a contact of a mirrored customer.",
    )
    op.create_index("persons_by_customer", "persons", ["administration", "customer_id"], schema="crm")
    op.create_table(
        "persons",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("contact_id", sa.Text(), nullable=False, comment="contact it stands for"),
        sa.Column("person_id", sa.BigInteger(), nullable=False, comment="id in Pipedrive"),
        sa.Column(
            "written",
            postgresql.JSONB(),
            nullable=True,
            comment="content as it was last written, in Pipedrive's own fields; empty when it was only recognised",
        ),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True, comment="last write (UTC)"),
        sa.PrimaryKeyConstraint("administration", "contact_id"),
        schema="pipedrive",
        comment="Persons this pipeline wrote.",
    )
    op.alter_column("deletions", "entity_type", schema="exact_online", comment=_ENTITY_TYPE)
    for table in ("intents", "rejected", "drift"):
        op.alter_column(table, "kind", schema="pipedrive", comment=_RECORDS)
    op.alter_column("duplicates", "kind", schema="pipedrive", comment="organizations, persons, products or deals")
