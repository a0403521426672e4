"""What people who analyse may read: the roles `analyst` and `analyst_contacts`, which logins of BI tools are put into.

Roles belong to the whole server, so several warehouses on one share them; what a role may read belongs to its database.
A table with personal data of contacts is named here, and a test holds this list to the tables there are.
"""

from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

ANALYST, OF_CONTACTS = "analyst", "analyst_contacts"
SCHEMAS = ("erp", "crm", "marts")
CONTACTS = ("erp.contacts", "crm.persons", "crm.contact_conflicts")


def may_read(tx: Connection) -> bool:
    """Whether the role is there and was let in."""
    return tx.execute(text(_LET_IN), {"role": ANALYST}).scalar() is True


def let_analysts_read(tx: Connection) -> str | None:
    """Makes the roles where they are missing and lets them read; says what to do where this user may not."""
    user = tx.execute(text("SELECT current_user")).scalar_one()
    missing = set(tx.execute(text(_MISSING), {"roles": [ANALYST, OF_CONTACTS]}).scalars())
    if missing and not tx.execute(text(_MAY_MAKE_ROLES)).scalar_one():
        statements = " ".join(f"CREATE ROLE {role} NOLOGIN;" for role in sorted(missing))
        return (
            f"The database user {user} may not make the roles that analysts read with; all else goes on. Let an "
            f"administrator of the server run: {statements} The next command then lets them read."
        )
    try:
        with tx.begin_nested():
            for statement in (*(_MAKE_ROLE.format(role=role) for role in sorted(missing)), *_GRANTS):
                tx.execute(text(statement))
    except ProgrammingError as problem:
        if not isinstance(problem.orig, InsufficientPrivilege):
            raise
        return (
            f"The database user {user} does not own the warehouse's tables and so may not let analysts read them: "
            f"{problem.orig.diag.message_primary}. Let their owner run a command once."
        )
    return None


_LET_IN = "SELECT has_schema_privilege(rolname, 'marts', 'USAGE') FROM pg_roles WHERE rolname = :role"
_MISSING = """
SELECT role FROM unnest(CAST(:roles AS text[])) AS role WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role)
"""
_MAY_MAKE_ROLES = "SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user"
# Another warehouse on the server may make it at the same moment.
_MAKE_ROLE = """
DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$
"""
_ALL, _PERSONAL = ", ".join(SCHEMAS), ", ".join(CONTACTS)
_GRANTS = (
    f"GRANT USAGE ON SCHEMA {_ALL} TO {ANALYST}",
    f"GRANT SELECT ON ALL TABLES IN SCHEMA {_ALL} TO {ANALYST}",
    f"ALTER DEFAULT PRIVILEGES IN SCHEMA {_ALL} GRANT SELECT ON TABLES TO {ANALYST}",
    f"REVOKE ALL ON {_PERSONAL} FROM {ANALYST}",
    f"GRANT USAGE ON SCHEMA erp, crm TO {OF_CONTACTS}",
    f"GRANT SELECT ON {_PERSONAL} TO {OF_CONTACTS}",
)
