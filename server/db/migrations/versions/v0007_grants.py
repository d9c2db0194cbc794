"""Recipients that were added to a session later."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "grants",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("session", sa.String(), sa.ForeignKey("sessions.id"), nullable=False),
        sa.Column("statement", sa.String(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("taken_ms", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_grants_session", "grants", ["session"])


def downgrade() -> None:
    """Undo this step."""
    op.drop_table("grants")
