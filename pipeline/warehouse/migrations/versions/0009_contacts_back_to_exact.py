"""Persons of Pipedrive on their way to being contacts in the ERP."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "person_changes",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="id in Pipedrive"),
        sa.Column("org_id", sa.BigInteger(), nullable=True, comment="organization in Pipedrive"),
        sa.Column("name", sa.Text(), nullable=False, comment="name"),
        sa.Column("e_mail", sa.Text(), nullable=True, comment="primary e-mail address"),
        sa.Column("phone", sa.Text(), nullable=True, comment="phone number"),
        sa.Column("mobile", sa.Text(), nullable=True, comment="mobile number"),
        sa.Column("contact_id", sa.Text(), nullable=True, comment='"Exact contact-ID"'),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True, comment="last change in Pipedrive (UTC)"),
        sa.Column("waits", sa.Boolean(), nullable=False, comment="whether what it says has still to be decided upon"),
        sa.Column(
            "reason", sa.Text(), nullable=True, comment="why it is not in the ERP as it stands; empty while all is well"
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True, comment="since when there is a reason (UTC)"),
        sa.PrimaryKeyConstraint("person_id"),
        schema="pipedrive",
        comment='Persons with the label "Naar Exact" as they were last seen, and what keeps them from being contacts in the ERP.',
    )
    op.create_table(
        "written_contacts",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("contact_id", sa.Text(), nullable=False, comment="ID of the contact"),
        sa.Column("person_id", sa.BigInteger(), nullable=False, comment="person in Pipedrive it was written for"),
        sa.Column(
            "content_hash",
            sa.Text(),
            nullable=True,
            comment="SHA-256 of the person's content: a contact that says just this was not changed by others",
        ),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True, comment="last write (UTC)"),
        sa.PrimaryKeyConstraint("administration", "contact_id"),
        schema="exact_online",
        comment="Contacts this pipeline made or changed in Exact Online, each as it last did.",
    )
    op.create_table(
        "contact_intents",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False, comment="person in Pipedrive"),
        sa.Column(
            "contact_id",
            sa.Text(),
            nullable=True,
            comment="contact about to be changed; empty for one about to be made",
        ),
        sa.Column(
            "e_mail", sa.Text(), nullable=False, comment="e-mail address by which a contact that was made is found"
        ),
        sa.Column(
            "content_hash", sa.Text(), nullable=False, comment="SHA-256 of the person's content about to be written"
        ),
        sa.Column(
            "hash_before",
            sa.Text(),
            nullable=True,
            comment="SHA-256 of what the contact said before; empty for one about to be made",
        ),
        sa.Column("intended_at", sa.DateTime(timezone=True), nullable=False, comment="before the request (UTC)"),
        sa.PrimaryKeyConstraint("administration", "person_id"),
        schema="exact_online",
        comment="Contacts about to be written whose outcome is not yet known; they are looked up before anything is tried again.",
    )
    op.create_table(
        "contact_conflicts",
        sa.Column(
            "administration", sa.Text(), nullable=False, comment="name of the administration, as in pipeline.yaml"
        ),
        sa.Column("contact_id", sa.Text(), nullable=False, comment="contact in the ERP"),
        sa.Column(
            "field", sa.Text(), nullable=False, comment="field that differed: name, e_mail, phone, mobile or org_id"
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False, comment="when it was found (UTC)"),
        sa.Column("person_id", sa.BigInteger(), nullable=False, comment="person in Pipedrive"),
        sa.Column("theirs", sa.Text(), nullable=True, comment="value in Pipedrive, which lost"),
        sa.Column("ours", sa.Text(), nullable=True, comment="value in the ERP, which won"),
        sa.PrimaryKeyConstraint("administration", "contact_id", "field", "since"),
        schema="crm",
        comment="What people had written on a person in Pipedrive when its contact had changed too: the ERP won, this is kept.",
    )
