"""When the exam of a session first ran, so that its time does not begin again with each start of the application."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step; of sessions that were there nobody knows."""
    op.add_column("sessions", sa.Column("running_ms", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Undo this step."""
    op.execute("ALTER TABLE sessions DROP COLUMN running_ms")
