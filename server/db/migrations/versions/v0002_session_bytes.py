"""What each session takes on the disk, so that it can be limited without counting all its segments each time."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step; 4,096 is what ``server.exams.quotas.ROW`` adds for a segment's row."""
    op.add_column("sessions", sa.Column("stored", sa.BigInteger(), server_default="0", nullable=False))
    op.execute(
        "UPDATE sessions SET stored ="
        " (SELECT coalesce(sum(size + 4096), 0) FROM segments WHERE segments.session = sessions.id)"
    )


def downgrade() -> None:
    """Undo this step."""
    op.execute("ALTER TABLE sessions DROP COLUMN stored")
