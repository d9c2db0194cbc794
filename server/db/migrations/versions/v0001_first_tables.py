"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply this step."""
    _create_accounts()
    _create_audit()
    _create_institution_keys()
    _create_exams()
    _create_key_records()
    _create_logins()
    _create_candidates()
    _create_sessions()
    _create_actions()
    _create_bindings()
    _create_cookie_tokens()
    _create_incidents()
    _create_segments()


def downgrade() -> None:
    """Undo this step."""
    op.drop_table("segments")
    with op.batch_alter_table("incidents") as batch_op:
        batch_op.drop_index(batch_op.f("ix_incidents_session"))

    op.drop_table("incidents")
    with op.batch_alter_table("cookie_tokens") as batch_op:
        batch_op.drop_index("ix_cookie_tokens_session_serial")

    op.drop_table("cookie_tokens")
    op.drop_table("bindings")
    with op.batch_alter_table("actions") as batch_op:
        batch_op.drop_index(batch_op.f("ix_actions_session"))

    op.drop_table("actions")
    with op.batch_alter_table("sessions") as batch_op:
        batch_op.drop_index(batch_op.f("ix_sessions_exam"))

    op.drop_table("sessions")
    with op.batch_alter_table("candidates") as batch_op:
        batch_op.drop_index(batch_op.f("ix_candidates_exam"))

    op.drop_table("candidates")
    with op.batch_alter_table("logins") as batch_op:
        batch_op.drop_index(batch_op.f("ix_logins_expires_ms"))

    op.drop_table("logins")
    op.drop_table("key_records")
    op.drop_table("exams")
    op.drop_table("institution_keys")
    with op.batch_alter_table("audit") as batch_op:
        batch_op.drop_index("ix_audit_account_subject_at_ms")

    op.drop_table("audit")
    op.drop_table("accounts")


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password", sa.String(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_accounts")),
    )


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit") as batch_op:
        batch_op.create_index("ix_audit_account_subject_at_ms", ["account", "subject", "at_ms"], unique=False)


def _create_institution_keys() -> None:
    op.create_table(
        "institution_keys",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution_keys")),
    )


def _create_exams() -> None:
    op.create_table(
        "exams",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("institution_key", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("start_url", sa.String(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["institution_key"], ["institution_keys.id"], name=op.f("fk_exams_institution_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exams")),
    )


def _create_key_records() -> None:
    op.create_table(
        "key_records",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("protected", sa.String(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["accounts.name"], name=op.f("fk_key_records_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_records")),
    )


def _create_logins() -> None:
    op.create_table(
        "logins",
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["accounts.name"], name=op.f("fk_logins_account")),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_logins")),
    )
    with op.batch_alter_table("logins") as batch_op:
        batch_op.create_index(batch_op.f("ix_logins_expires_ms"), ["expires_ms"], unique=False)


def _create_candidates() -> None:
    op.create_table(
        "candidates",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("exam", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("invite", sa.LargeBinary(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["exam"], ["exams.id"], name=op.f("fk_candidates_exam")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidates")),
        sa.UniqueConstraint("invite", name=op.f("uq_candidates_invite")),
    )
    with op.batch_alter_table("candidates") as batch_op:
        batch_op.create_index(batch_op.f("ix_candidates_exam"), ["exam"], unique=False)


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("exam", sa.String(), nullable=False),
        sa.Column("candidate", sa.String(), nullable=False),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("client", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("program", sa.LargeBinary(), nullable=True),
        sa.Column("access", sa.LargeBinary(), nullable=True),
        sa.Column("ticket", sa.LargeBinary(), nullable=True),
        sa.Column("alive_ms", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_ms", sa.BigInteger(), nullable=True),
        sa.Column("frozen_since_ms", sa.BigInteger(), nullable=True),
        sa.Column("actions_from_ms", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=True),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.String(), nullable=True),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("completion", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["candidate"], ["candidates.id"], name=op.f("fk_sessions_candidate")),
        sa.ForeignKeyConstraint(["exam"], ["exams.id"], name=op.f("fk_sessions_exam")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("candidate", name=op.f("uq_sessions_candidate")),
    )
    with op.batch_alter_table("sessions") as batch_op:
        batch_op.create_index(batch_op.f("ix_sessions_exam"), ["exam"], unique=False)


def _create_actions() -> None:
    op.create_table(
        "actions",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("issued_ms", sa.BigInteger(), nullable=False),
        sa.Column("jws", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["session"], ["sessions.id"], name=op.f("fk_actions_session")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_actions")),
    )
    with op.batch_alter_table("actions") as batch_op:
        batch_op.create_index(batch_op.f("ix_actions_session"), ["session"], unique=False)


def _create_bindings() -> None:
    op.create_table(
        "bindings",
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("signing_key", sa.LargeBinary(), nullable=False),
        sa.Column("jws", sa.String(), nullable=False),
        sa.Column("bound_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["session"], ["sessions.id"], name=op.f("fk_bindings_session")),
        sa.PrimaryKeyConstraint("session", "epoch", name=op.f("pk_bindings")),
    )


def _create_cookie_tokens() -> None:
    op.create_table(
        "cookie_tokens",
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["session"], ["sessions.id"], name=op.f("fk_cookie_tokens_session")),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_cookie_tokens")),
    )
    with op.batch_alter_table("cookie_tokens") as batch_op:
        batch_op.create_index("ix_cookie_tokens_session_serial", ["session", "serial"], unique=False)


def _create_incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["session"], ["sessions.id"], name=op.f("fk_incidents_session")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    with op.batch_alter_table("incidents") as batch_op:
        batch_op.create_index(batch_op.f("ix_incidents_session"), ["session"], unique=False)


def _create_segments() -> None:
    op.create_table(
        "segments",
        sa.Column("session", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("track", sa.String(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("record", sa.String(), nullable=False),
        sa.Column("record_digest", sa.LargeBinary(), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("receipt", sa.String(), nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["session"], ["sessions.id"], name=op.f("fk_segments_session")),
        sa.PrimaryKeyConstraint("session", "epoch", "track", "sequence", name=op.f("pk_segments")),
        sa.UniqueConstraint("session", "previous", name=op.f("uq_segments_session_previous")),
        sa.UniqueConstraint("session", "record_digest", name=op.f("uq_segments_session_record_digest")),
    )
