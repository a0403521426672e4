"""What the receiver of webhooks may, who is the only one of ours that strangers talk to: to add to its inbox.

A login that is put into the role `pipeline_receiver` reads no order, no customer and no token, and changes nothing.
Everything works without: then the receiver comes with the pipeline's own login. docs/security.md says how one is made.
"""

from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

RECEIVER = "pipeline_receiver"


def is_receiver(tx: Connection) -> bool:
    """Whether this login may no more than that: it can't migrate, and is held to the revision all the same."""
    return tx.execute(text(_IS_RECEIVER), {"role": RECEIVER}).scalar_one()


def let_receiver_in(tx: Connection) -> None:
    """Makes the role where it is missing and lets it add to the inbox.

    Where this user may not make roles or does not own the tables, all stays as it is: nobody has to have a receiver's
    login, and who wants one learns from docs/security.md what an administrator does.
    """
    state = tx.execute(text(_STATE), {"role": RECEIVER}).one()
    if state.is_in or not (state.is_there or state.may_make_roles):
        return
    try:
        with tx.begin_nested():
            for statement in (_MAKE_ROLE, *_GRANTS):
                tx.execute(text(statement))
    except ProgrammingError as problem:
        if not isinstance(problem.orig, InsufficientPrivilege):
            raise


_IS_RECEIVER = """
SELECT NOT has_database_privilege(current_database(), 'CREATE')
    AND EXISTS (SELECT FROM pg_roles WHERE rolname = :role AND pg_has_role(current_user, oid, 'MEMBER'))
"""
_STATE = """
SELECT count(*) > 0 AS is_there,
    coalesce(bool_or(has_any_column_privilege(oid, 'inbox.webhook_events', 'INSERT')), false) AS is_in,
    (SELECT rolcreaterole OR rolsuper FROM pg_roles WHERE rolname = current_user) AS may_make_roles
FROM pg_roles WHERE rolname = :role
"""
# Another warehouse on the server may make it at the same moment.
_MAKE_ROLE = f"""
DO $$ BEGIN CREATE ROLE {RECEIVER} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$
"""
_GRANTS = (
    f"GRANT USAGE ON SCHEMA inbox, state TO {RECEIVER}",
    f"GRANT INSERT, SELECT (hash_code) ON inbox.webhook_events TO {RECEIVER}",  # the latter finds repetitions
    f"GRANT SELECT ON state.alembic_version TO {RECEIVER}",
)
