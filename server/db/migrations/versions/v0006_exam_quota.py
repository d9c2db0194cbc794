"""How much an exam may store."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step; exams that were there have no limit."""
    op.add_column("exams", sa.Column("quota", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Undo this step."""
    op.execute("ALTER TABLE exams DROP COLUMN quota")
