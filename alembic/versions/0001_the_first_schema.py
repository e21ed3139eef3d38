"""The first schema: sessions, what came for them, what they owe, and the proofs."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("subscriber", sa.String(length=255), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("session_id", "ordinal", "subscriber", "number", name="pk_attempts"),
    )
    op.create_table(
        "callbacks",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("subscriber", sa.String(length=255), nullable=False),
        sa.Column("callback_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=255), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("session_id", "ordinal", "subscriber", name="pk_callbacks"),
    )
    op.create_index(
        "ix_callbacks_due",
        "callbacks",
        ["subscriber", "due_at"],
        unique=False,
        sqlite_where=sa.text("status = 'pending'"),
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index("ix_callbacks_status", "callbacks", ["status", "created_at", "callback_id"], unique=False)
    op.create_index("uq_callbacks_callback_id", "callbacks", ["callback_id"], unique=True)
    op.create_table(
        "charts",
        sa.Column("chart_id", sa.String(length=255), nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("chart_id", "version", name="pk_charts"),
    )
    op.create_table(
        "deliveries",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("arrival", sa.Integer(), nullable=False),
        sa.Column("event_arrival", sa.Integer(), nullable=False),
        sa.Column("deliver_id", sa.String(length=255), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "arrival", name="pk_deliveries"),
    )
    op.create_table(
        "events",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("arrival", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("disposition", sa.String(length=16), nullable=False),
        sa.Column("flow_id", sa.String(length=255), nullable=True),
        sa.Column("environment", sa.String(length=255), nullable=True),
        sa.Column("session_status", sa.String(length=255), nullable=True),
        sa.Column("last_step_id", sa.String(length=255), nullable=True),
        sa.Column("last_step_type", sa.String(length=255), nullable=True),
        sa.Column("last_step_status", sa.String(length=255), nullable=True),
        sa.Column("version", sa.String(length=255), nullable=True),
        sa.Column("deliver_id", sa.String(length=255), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("key_thumbprint", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "arrival", name="pk_events"),
    )
    op.create_index(
        "uq_events_event_id",
        "events",
        ["session_id", "event_id"],
        unique=True,
        sqlite_where=sa.text("disposition <> 'conflict'"),
        postgresql_where=sa.text("disposition <> 'conflict'"),
    )
    op.create_index("uq_events_facts", "events", ["session_id", "event_id", "digest"], unique=True)
    op.create_index(
        "uq_events_sequence",
        "events",
        ["session_id", "sequence"],
        unique=True,
        sqlite_where=sa.text("disposition <> 'conflict'"),
        postgresql_where=sa.text("disposition <> 'conflict'"),
    )
    op.create_table(
        "key_sets",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", name="pk_key_sets"),
    )
    op.create_table(
        "refusals",
        sa.Column("refusal_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("key_thumbprint", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("refusal_id", name="pk_refusals"),
    )
    op.create_table(
        "sessions",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=255), nullable=False),
        sa.Column("terminal", sa.Boolean(), nullable=False),
        sa.Column("cursor", sa.Integer(), nullable=False),
        sa.Column("contiguous", sa.Boolean(), nullable=False),
        sa.Column("held", sa.JSON(), nullable=False),
        sa.Column("applied", sa.JSON(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("arrivals", sa.Integer(), nullable=False),
        sa.Column("flow_id", sa.String(length=255), nullable=True),
        sa.Column("environment", sa.String(length=255), nullable=True),
        sa.Column("decided_flow_id", sa.String(length=255), nullable=True),
        sa.Column("decided_environment", sa.String(length=255), nullable=True),
        sa.Column("last_step_id", sa.String(length=255), nullable=True),
        sa.Column("last_step_type", sa.String(length=255), nullable=True),
        sa.Column("last_step_status", sa.String(length=255), nullable=True),
        sa.Column("earliest_held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("chart_id", sa.String(length=255), nullable=False),
        sa.Column("chart_version", sa.String(length=16), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("session_id", name="pk_sessions"),
    )
    op.create_index(
        "ix_sessions_gap",
        "sessions",
        ["earliest_held_at"],
        unique=False,
        sqlite_where=sa.text("earliest_held_at IS NOT NULL"),
        postgresql_where=sa.text("earliest_held_at IS NOT NULL"),
    )
    op.create_index("ix_sessions_state", "sessions", ["state", "updated_at", "session_id"], unique=False)
    op.create_index("ix_sessions_updated_at", "sessions", ["updated_at", "session_id"], unique=False)
    op.create_table(
        "signing_keys",
        sa.Column("thumbprint", sa.String(length=64), nullable=False),
        sa.Column("kid", sa.Text(), nullable=True),
        sa.Column("jwk", sa.Text(), nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("thumbprint", name="pk_signing_keys"),
    )
    op.create_table(
        "transitions",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(length=255), nullable=False),
        sa.Column("target", sa.String(length=255), nullable=False),
        sa.Column("trigger", sa.String(length=255), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("event_id", sa.String(length=255), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("session_id", "ordinal", name="pk_transitions"),
    )
    op.create_table(
        "uptime",
        sa.Column("uptime_id", sa.Integer(), nullable=False),
        sa.Column("up_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_tick", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("uptime_id", name="pk_uptime"),
    )


def downgrade() -> None:
    op.drop_table("uptime")
    op.drop_table("transitions")
    op.drop_table("signing_keys")
    op.drop_table("sessions")
    op.drop_table("refusals")
    op.drop_table("key_sets")
    op.drop_table("events")
    op.drop_table("deliveries")
    op.drop_table("charts")
    op.drop_table("callbacks")
    op.drop_table("attempts")
