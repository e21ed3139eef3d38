"""The account of whoever acts, as their provider identifies it: names change, and are given to others."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("audit_entries", "sign_ins"):
        op.add_column(name, sa.Column("account", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    for name in ("audit_entries", "sign_ins"):
        op.drop_column(name, "account")
