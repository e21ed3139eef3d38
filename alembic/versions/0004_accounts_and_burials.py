"""Whose account acts, since names change and are given to others; and which callbacks died with their subscriber."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("audit_entries", "sign_ins"):
        op.add_column(name, sa.Column("account", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("callbacks", sa.Column("buried_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("callbacks", "buried_at")
    for name in ("audit_entries", "sign_ins"):
        op.drop_column(name, "account")
