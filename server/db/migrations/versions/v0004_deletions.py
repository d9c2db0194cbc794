"""What is left of sessions that were deleted: the server's signed word for it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.create_table(
        "deletions",
        sa.Column("session", sa.String(), primary_key=True),
        sa.Column("exam", sa.String(), sa.ForeignKey("exams.id"), nullable=False),
        sa.Column("deleted_ms", sa.BigInteger(), nullable=False),
        sa.Column("jws", sa.String(), nullable=False),
    )
    op.create_index("ix_deletions_exam", "deletions", ["exam"])


def downgrade() -> None:
    """Undo this step."""
    op.drop_table("deletions")
