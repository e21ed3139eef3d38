"""The console: the audit trail, who is signed in, what each minute brought, and sessions as support looks for them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_CONTRADICTED = """
UPDATE sessions SET contradicted = true
WHERE session_id IN (SELECT session_id FROM events WHERE disposition = 'conflict')
"""

_ON_SQLITE = """
CREATE TRIGGER audit_entries_no_{verb} BEFORE {event} BEGIN
    SELECT RAISE(ABORT, 'the audit trail is append-only');
END
"""
_EVENTS = {
    "update": "UPDATE ON audit_entries",
    "delete": "DELETE ON audit_entries",
    # INSERT OR REPLACE takes a row away without a word to the trigger above
    "replace": "INSERT ON audit_entries WHEN EXISTS (SELECT 1 FROM audit_entries WHERE entry_id = NEW.entry_id)",
}
_FUNCTION = """
CREATE FUNCTION audit_entries_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END
$$
"""
_TRIGGER = """
CREATE TRIGGER audit_entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_append_only()
"""

_LISTED = ["first_seen_at", "session_id", "state", "environment", "flow_id"]
_BY_ORIGIN = ["environment", "flow_id", "first_seen_at", "session_id", "state"]
_PARTIAL = {
    "ix_sessions_with_gap": "NOT contiguous OR earliest_held_at IS NOT NULL",
    "ix_sessions_contradicted": "contradicted",
}


def upgrade() -> None:
    op.add_column("sessions", sa.Column("contradicted", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("feed_heads", sa.Column("states", sa.JSON(), nullable=False, server_default="{}"))
    op.execute(_CONTRADICTED)
    _count_states(op.get_bind())
    _create_tables()
    _create_indexes()
    _hold_to_its_word()


def _create_indexes() -> None:
    """What support looks for sessions and callbacks by."""
    op.create_index("ix_sessions_seen", "sessions", _LISTED)
    op.create_index("ix_sessions_origin", "sessions", _BY_ORIGIN)
    for name, predicate in _PARTIAL.items():
        where = sa.text(predicate)
        op.create_index(name, "sessions", _LISTED, sqlite_where=where, postgresql_where=where)
    op.create_index("ix_callbacks_subscriber", "callbacks", ["subscriber", "status", "created_at", "callback_id"])
    dead = sa.text("status = 'dead'")
    op.create_index("ix_callbacks_dead", "callbacks", ["session_id"], sqlite_where=dead, postgresql_where=dead)


def _hold_to_its_word() -> None:
    """The audit trail is append-only, whoever asks the database."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_FUNCTION)
        op.execute(_TRIGGER)
        return
    for verb, event in _EVENTS.items():
        op.execute(_ON_SQLITE.format(verb=verb, event=event))


def _count_states(connection: sa.Connection) -> None:
    """The sessions by their state, but for those that have taken no step."""
    sessions = sa.table("sessions", sa.column("state"), sa.column("ordinal"))
    heads = sa.table("feed_heads", sa.column("states", sa.JSON()))
    counts = (
        sa.select(sessions.c.state, sa.func.count().label("number"))
        .where(sessions.c.ordinal > 0)
        .group_by(sessions.c.state)
    )
    connection.execute(sa.update(heads).values(states={row.state: row.number for row in connection.execute(counts)}))


def _create_tables() -> None:
    counting = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "audit_entries",
        sa.Column("entry_id", counting, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("via", sa.String(length=16), nullable=False),
        sa.Column("origin", sa.String(length=255), nullable=True),
        sa.Column("act", sa.String(length=32), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("callback_id", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.String(length=255), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("effect", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="pk_audit_entries"),
    )
    of_a_session = sa.text("session_id IS NOT NULL")
    op.create_index(
        "ix_audit_entries_session",
        "audit_entries",
        ["session_id", "entry_id"],
        sqlite_where=of_a_session,
        postgresql_where=of_a_session,
    )
    op.create_table(
        "sign_ins",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_sign_ins"),
    )
    op.create_table(
        "minutes",
        sa.Column("minute", sa.DateTime(timezone=True), nullable=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("refusals", sa.JSON(), nullable=False),
        sa.Column("latencies", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("minute", "node", name="pk_minutes"),
    )


def downgrade() -> None:
    for name in ("ix_callbacks_dead", "ix_callbacks_subscriber"):
        op.drop_index(name, "callbacks")
    for name in (*_PARTIAL, "ix_sessions_origin", "ix_sessions_seen"):
        op.drop_index(name, "sessions")
    for name in ("minutes", "sign_ins", "audit_entries"):
        op.drop_table(name)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_entries_append_only()")
    op.drop_column("feed_heads", "states")
    op.drop_column("sessions", "contradicted")
