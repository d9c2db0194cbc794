"""What the institution granted a single candidate, as it signed it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    op.add_column("candidates", sa.Column("agreement", sa.String(), nullable=True))


def downgrade() -> None:
    """Undo this step."""
    op.execute("ALTER TABLE candidates DROP COLUMN agreement")
