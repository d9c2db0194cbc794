"""What a session used up: breaks and tried quit codes, so that no new start of the application gives them back."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step; of sessions that were there nobody knows."""
    op.add_column("sessions", sa.Column("breaks_ms", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("sessions", sa.Column("break_heard_ms", sa.BigInteger(), nullable=True))
    op.add_column("sessions", sa.Column("tries", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Undo this step."""
    for column in ("breaks_ms", "break_heard_ms", "tries"):
        op.execute(f"ALTER TABLE sessions DROP COLUMN {column}")
