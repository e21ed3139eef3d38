"""Callbacks and feeds: certificates, receipts, answers kept, endpoints as data with their health, and the feed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NUMBERED = """
UPDATE transitions SET position = numbered.position
FROM (
    SELECT session_id, ordinal, row_number() OVER (ORDER BY at, session_id, ordinal) AS position FROM transitions
) AS numbered
WHERE transitions.session_id = numbered.session_id AND transitions.ordinal = numbered.ordinal
"""
_ENDED = """
UPDATE transitions SET terminal = (
    SELECT sessions.terminal AND sessions.ordinal = transitions.ordinal FROM sessions
    WHERE sessions.session_id = transitions.session_id
)
"""
_COUNTED = """
UPDATE transitions SET ends = counted.ends
FROM (
    SELECT session_id, ordinal, sum(CASE WHEN terminal THEN 1 ELSE 0 END) OVER (ORDER BY position) AS ends
    FROM transitions
) AS counted
WHERE transitions.session_id = counted.session_id AND transitions.ordinal = counted.ordinal
"""
_HEAD = "INSERT INTO feed_heads (feed_id, position, ends) SELECT 1, count(*), coalesce(max(ends), 0) FROM transitions"


def upgrade() -> None:
    op.add_column("sessions", sa.Column("given_up", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("sessions", sa.Column("inferred", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("callbacks", sa.Column("receipt", sa.String(length=200), nullable=True))
    op.add_column("attempts", sa.Column("response", sa.Text(), nullable=True))
    op.add_column("transitions", sa.Column("terminal", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("transitions", sa.Column("position", sa.BigInteger(), nullable=True))
    op.add_column("transitions", sa.Column("ends", sa.BigInteger(), nullable=True))
    _create_tables()
    _fill_certificates(op.get_bind())
    for statement in (_NUMBERED, _ENDED, _COUNTED, _HEAD):
        op.execute(statement)
    op.create_index("uq_transitions_position", "transitions", ["position"], unique=True)
    _create_index_of_ends()
    _create_indexes_of_recovery()


def _create_indexes_of_recovery() -> None:
    """Of one kind and subscriber only one recovery is unfinished; a backfill walks through sessions by their end."""
    unfinished, ended = sa.text("finished_at IS NULL"), sa.text("ended_at IS NOT NULL")
    op.create_index(
        "uq_recoveries_unfinished",
        "recoveries",
        ["kind", "subscriber"],
        unique=True,
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )
    op.create_index(
        "ix_sessions_ended_at",
        "sessions",
        ["ended_at", "session_id"],
        sqlite_where=ended,
        postgresql_where=ended,
    )


def _create_index_of_ends() -> None:
    op.create_index(
        "ix_transitions_ends",
        "transitions",
        ["position"],
        sqlite_where=sa.text("terminal = 1"),
        postgresql_where=sa.text("terminal"),
    )


def _create_tables() -> None:
    op.create_table(
        "feed_heads",
        sa.Column("feed_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("feed_id", name="pk_feed_heads"),
    )
    op.create_table(
        "feed_consumers",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("terminal", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_feed_consumers"),
    )
    op.create_table(
        "endpoints",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_endpoints"),
    )
    op.create_table(
        "endpoint_health",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probe_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pauses", sa.Integer(), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_reason", sa.String(length=255), nullable=True),
        sa.Column("enabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_endpoint_health"),
    )
    op.create_table(
        "recoveries",
        sa.Column("recovery_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subscriber", sa.String(length=255), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("recovery_id", name="pk_recoveries"),
    )


def _fill_certificates(connection: sa.Connection) -> None:
    """What sessions that are not contiguous went on without: numbers that no event bears, and steps likewise."""
    sessions, events, transitions = (sa.table(name, *map(sa.column, columns.split())) for name, columns in _TABLES)
    for session_id, cursor in connection.execute(
        sa.select(sessions.c.session_id, sessions.c.cursor).where(sessions.c.contiguous == sa.false())
    ).all():
        borne = connection.execute(
            sa.select(events.c.sequence).where(events.c.session_id == session_id, events.c.disposition != "conflict")
        ).scalars()
        inferred = connection.execute(
            sa.select(transitions.c.trigger)
            .where(transitions.c.session_id == session_id, transitions.c.cause == "inferred")
            .where(transitions.c.event_id.is_(None))
            .order_by(transitions.c.ordinal)
        ).scalars()
        found = {
            "given_up": sorted(set(range(1, cursor + 1)).difference(borne)) or None,
            "inferred": list(inferred) or None,
        }
        connection.execute(sa.update(_CERTIFICATES).where(_CERTIFICATES.c.session_id == session_id).values(found))


_TABLES = (
    ("sessions", "session_id cursor contiguous"),
    ("events", "session_id sequence disposition"),
    ("transitions", "session_id ordinal trigger cause event_id"),
)
_CERTIFICATES = sa.table(
    "sessions",
    sa.column("session_id"),
    sa.column("given_up", sa.JSON(none_as_null=True)),
    sa.column("inferred", sa.JSON(none_as_null=True)),
)


def downgrade() -> None:
    for name in ("recoveries", "endpoint_health", "endpoints", "feed_consumers", "feed_heads"):
        op.drop_table(name)
    op.drop_index("ix_sessions_ended_at", table_name="sessions")
    op.drop_index("ix_transitions_ends", table_name="transitions")
    op.drop_index("uq_transitions_position", table_name="transitions")
    for name, column in (
        ("transitions", "ends"),
        ("transitions", "position"),
        ("transitions", "terminal"),
        ("attempts", "response"),
        ("callbacks", "receipt"),
        ("sessions", "inferred"),
        ("sessions", "given_up"),
    ):
        op.drop_column(name, column)
