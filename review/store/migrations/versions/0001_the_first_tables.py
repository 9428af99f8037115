"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "first_tables"
down_revision = None
branch_labels = None
depends_on = None

# Rows that nobody edits: sealed audit events, decisions, and policies that were active.
_FROZEN = {
    "audit_event": (
        "id",
        "at",
        "actor_kind",
        "actor_id",
        "actor_name",
        "action",
        "subject_kind",
        "subject_id",
        "body",
        "digest",
    ),
    "decision": (
        "id",
        "item_id",
        "task_id",
        "item_version",
        "is_final",
        "cause",
        "verdict",
        "correction",
        "difference",
        "labels",
        "spans",
        "note",
        "decided_by_kind",
        "decided_by_id",
        "claimed_at",
        "decided_at",
    ),
    "policy": (
        "id",
        "system_id",
        "version",
        "document",
        "digest",
        "activated_at",
        "activated_by",
        "written_by",
        "approved_by",
        "restores",
    ),
    "audit_checkpoint": ("seq", "head", "at", "signature"),
}


def _sqlite() -> list[str]:
    stop = "BEGIN SELECT RAISE(ABORT, '{0} is append-only'); END"
    statements = []
    for table, columns in _FROZEN.items():
        refuse = stop.format(table)
        statements += [
            f"CREATE TRIGGER {table}_not_deleted BEFORE DELETE ON {table} {refuse}",
            f"CREATE TRIGGER {table}_not_changed BEFORE UPDATE OF {', '.join(columns)} ON {table} {refuse}",
        ]
    return [
        *statements,
        "CREATE TRIGGER audit_event_sealed BEFORE UPDATE ON audit_event WHEN OLD.seq IS NOT NULL "
        + stop.format("audit_event"),
    ]


def _postgresql() -> list[str]:
    refuse = "FOR EACH ROW {0} EXECUTE FUNCTION holdpoint_kept()"
    statements = [
        "CREATE FUNCTION holdpoint_kept() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    ]
    for table, columns in _FROZEN.items():
        statements += [
            f"CREATE TRIGGER {table}_not_deleted BEFORE DELETE ON {table} {refuse.format('')}",
            f"CREATE TRIGGER {table}_not_changed BEFORE UPDATE OF {', '.join(columns)} ON {table} {refuse.format('')}",
            f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} EXECUTE FUNCTION holdpoint_kept()",
        ]
    sealed = refuse.format("WHEN (OLD.seq IS NOT NULL)")
    return [*statements, f"CREATE TRIGGER audit_event_sealed BEFORE UPDATE ON audit_event {sealed}"]


_KEPT = {"sqlite": _sqlite(), "postgresql": _postgresql()}


def upgrade() -> None:
    op.create_table(
        "audit_checkpoint",
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_checkpoint")),
    )
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("actor_name", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("chain", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
        sa.UniqueConstraint("seq", name=op.f("uq_audit_event_seq")),
    )
    op.create_index("ix_audit_event_subject", "audit_event", ["subject_id", "id"], unique=False)
    op.create_index(
        "ix_audit_event_unsealed",
        "audit_event",
        ["id"],
        unique=False,
        sqlite_where=sa.text("seq IS NULL"),
        postgresql_where=sa.text("seq IS NULL"),
    )
    op.create_table(
        "outbox_message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_message")),
    )
    op.create_index(
        "ix_outbox_message_waiting",
        "outbox_message",
        ["id"],
        unique=False,
        sqlite_where=sa.text("sent_at IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("sessions_valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role = 'reviewer' OR role = 'lead' OR role = 'owner' OR role = 'auditor' OR role = 'admin'",
            name=op.f("ck_person_role"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("email", name=op.f("uq_person_email")),
        sa.UniqueConstraint("username", name=op.f("uq_person_username")),
    )
    op.create_table(
        "queue",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("escalates_to_id", sa.Uuid(), nullable=True),
        sa.Column("ceiling", sa.Integer(), nullable=True),
        sa.Column("load_cap", sa.Integer(), nullable=True),
        sa.Column("service", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["escalates_to_id"], ["queue.id"], name=op.f("fk_queue_escalates_to_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue")),
        sa.UniqueConstraint("slug", name=op.f("uq_queue_slug")),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempt")),
    )
    op.create_index("ix_sign_in_attempt_address_at", "sign_in_attempt", ["address", "at"], unique=False)
    op.create_index("ix_sign_in_attempt_username_at", "sign_in_attempt", ["username", "at"], unique=False)
    op.create_table(
        "absence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_absence_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
    )
    op.create_index(op.f("ix_absence_person_id"), "absence", ["person_id"], unique=False)
    op.create_table(
        "person_skill",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("skill", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_person_skill_person_id")),
        sa.PrimaryKeyConstraint("person_id", "skill", name=op.f("pk_person_skill")),
    )
    op.create_table(
        "queue_member",
        sa.Column("queue_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_queue_member_person_id")),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_queue_member_queue_id")),
        sa.PrimaryKeyConstraint("queue_id", "person_id", name=op.f("pk_queue_member")),
    )
    op.create_table(
        "reassignment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("to_id", sa.Uuid(), nullable=True),
        sa.Column("task_ids", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_reassignment_by_id")),
        sa.ForeignKeyConstraint(["to_id"], ["person.id"], name=op.f("fk_reassignment_to_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reassignment")),
    )
    op.create_index(op.f("ix_reassignment_by_id"), "reassignment", ["by_id"], unique=False)
    op.create_table(
        "system",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("deputy_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("mode_reason", sa.String(), nullable=False),
        sa.Column("mode_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mode_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_critical", sa.Boolean(), nullable=False),
        sa.Column("sample_key", sa.LargeBinary(), nullable=False),
        sa.Column("active_policy_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("mode = 'normal' OR mode = 'review_all' OR mode = 'stopped'", name=op.f("ck_system_mode")),
        sa.CheckConstraint("owner_id <> deputy_id", name=op.f("ck_system_owner_and_deputy_differ")),
        sa.ForeignKeyConstraint(["deputy_id"], ["person.id"], name=op.f("fk_system_deputy_id")),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name=op.f("fk_system_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system")),
        sa.UniqueConstraint("slug", name=op.f("uq_system_slug")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(system_id IS NULL) <> (person_id IS NULL)", name=op.f("ck_api_key_one_holder")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_api_key_person_id")),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name=op.f("fk_api_key_system_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_key_hash")),
    )
    op.create_table(
        "bulk_choice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("tasks", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_bulk_choice_by_id")),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name=op.f("fk_bulk_choice_system_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_choice")),
    )
    op.create_index(op.f("ix_bulk_choice_by_id"), "bulk_choice", ["by_id"], unique=False)
    op.create_table(
        "calibration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("fitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("points", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("auc", sa.Float(), nullable=True),
        sa.Column("auc_low", sa.Float(), nullable=False),
        sa.Column("auc_high", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name=op.f("fk_calibration_system_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calibration")),
    )
    op.create_index("ix_calibration_latest", "calibration", ["system_id", "model_version", "fitted_at"], unique=False)
    op.create_table(
        "contingency",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("trigger", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=True),
        sa.Column("fallback", sa.Text(), nullable=False),
        sa.Column("instructions", sa.Text(), nullable=False),
        sa.Column("written_by_id", sa.Uuid(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "trigger = 'model_unavailable' OR trigger = 'price_changed' OR trigger = 'version_deprecated'",
            name=op.f("ck_contingency_trigger"),
        ),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name=op.f("fk_contingency_system_id")),
        sa.ForeignKeyConstraint(["written_by_id"], ["person.id"], name=op.f("fk_contingency_written_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contingency")),
        sa.UniqueConstraint("system_id", "trigger", name=op.f("uq_contingency_system_id_trigger")),
    )
    op.create_table(
        "item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("model_name", sa.String(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("group", sa.String(), nullable=True),
        sa.Column("subject_id", sa.String(), nullable=True),
        sa.Column("traceparent", sa.String(), nullable=True),
        sa.Column("bundle", sa.String(), nullable=True),
        sa.Column("bundle_position", sa.Integer(), nullable=True),
        sa.Column("bundle_size", sa.Integer(), nullable=True),
        sa.Column("requested_by", sa.String(), nullable=True),
        sa.Column("produced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content_digest", sa.String(), nullable=False),
        sa.Column("intake_event_id", sa.Uuid(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(), nullable=True),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("inclusion_probability", sa.Float(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("release_state", sa.String(), nullable=False),
        sa.Column("release_digest", sa.String(), nullable=True),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("release_fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("release_consumed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind = 'answer' OR kind = 'classification' OR kind = 'action'", name=op.f("ck_item_kind")),
        sa.CheckConstraint(
            "release_state = 'pending' OR release_state = 'released' OR release_state = 'withheld'",
            name=op.f("ck_item_release_state"),
        ),
        sa.CheckConstraint("route = 'pass' OR route = 'review' OR route = 'block'", name=op.f("ck_item_route")),
        sa.CheckConstraint(
            "status = 'passed' OR status = 'waiting' OR status = 'decided' OR status = 'lapsed'",
            name=op.f("ck_item_status"),
        ),
        sa.CheckConstraint(
            "confidence IS NULL OR (confidence >= 0 AND confidence <= 1)", name=op.f("ck_item_confidence")
        ),
        sa.CheckConstraint(
            "inclusion_probability >= 0 AND inclusion_probability <= 1", name=op.f("ck_item_inclusion_probability")
        ),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name=op.f("fk_item_system_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
        sa.UniqueConstraint("system_id", "external_id", name=op.f("uq_item_system_id_external_id")),
    )
    op.create_index(
        "ix_item_bundle",
        "item",
        ["system_id", "bundle"],
        unique=False,
        sqlite_where=sa.text("bundle IS NOT NULL"),
        postgresql_where=sa.text("bundle IS NOT NULL"),
    )
    op.create_index(
        "ix_item_lapses_at",
        "item",
        ["lapses_at"],
        unique=False,
        sqlite_where=sa.text("release_state = 'pending' AND lapses_at IS NOT NULL"),
        postgresql_where=sa.text("release_state = 'pending' AND lapses_at IS NOT NULL"),
    )
    op.create_index(
        "ix_item_reviewed",
        "item",
        ["status", "id"],
        unique=False,
        sqlite_where=sa.text("status <> 'passed'"),
        postgresql_where=sa.text("status <> 'passed'"),
    )
    op.create_index("ix_item_system_id_id", "item", ["system_id", "id"], unique=False)
    op.create_table(
        "pause",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_pause_person_id")),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name=op.f("fk_pause_system_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pause")),
    )
    op.create_index(
        "uq_pause_person_system",
        "pause",
        ["person_id", "system_id"],
        unique=True,
        sqlite_where=sa.text("lifted_at IS NULL"),
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table(
        "policy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("activated_by", sa.String(), nullable=False),
        sa.Column("written_by", sa.String(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("restores", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name=op.f("fk_policy_system_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy")),
        sa.UniqueConstraint("system_id", "version", name=op.f("uq_policy_system_id_version")),
    )
    op.create_table(
        "policy_draft",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("written_by_id", sa.Uuid(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by_id", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("restores", sa.Integer(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["approved_by_id"], ["person.id"], name=op.f("fk_policy_draft_approved_by_id")),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name=op.f("fk_policy_draft_system_id")),
        sa.ForeignKeyConstraint(["written_by_id"], ["person.id"], name=op.f("fk_policy_draft_written_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_draft")),
    )
    op.create_index(op.f("ix_policy_draft_system_id"), "policy_draft", ["system_id"], unique=False)
    op.create_table(
        "comment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("mentions", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_comment_by_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_comment_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
    )
    op.create_index(op.f("ix_comment_item_id"), "comment", ["item_id"], unique=False)
    op.create_table(
        "drill",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contingency_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_exercise", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("by_name", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["contingency_id"], ["contingency.id"], name=op.f("fk_drill_contingency_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drill")),
    )
    op.create_index(op.f("ix_drill_contingency_id"), "drill", ["contingency_id"], unique=False)
    op.create_table(
        "gold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("correction", sa.Text(), nullable=True),
        sa.Column("added_by_id", sa.Uuid(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["added_by_id"], ["person.id"], name=op.f("fk_gold_added_by_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_gold_item_id")),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name=op.f("fk_gold_system_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gold")),
        sa.UniqueConstraint("item_id", name=op.f("uq_gold_item_id")),
    )
    op.create_index(op.f("ix_gold_system_id"), "gold", ["system_id"], unique=False)
    op.create_table(
        "item_payload",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_item_payload_item_id")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_item_payload")),
    )
    op.create_table(
        "task_bar",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_task_bar_item_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_task_bar_person_id")),
        sa.PrimaryKeyConstraint("item_id", "person_id", name=op.f("pk_task_bar")),
    )
    op.create_table(
        "task",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("queue_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=True),
        sa.Column("lease_token", sa.String(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalated_from_id", sa.Uuid(), nullable=True),
        sa.Column("assigned_to_id", sa.Uuid(), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_limited", sa.Boolean(), nullable=False),
        sa.Column("gold_id", sa.Uuid(), nullable=True),
        sa.Column("n_steps", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "kind = 'review' OR kind = 'second_review' OR kind = 'adjudication' OR kind = 'escalation'",
            name=op.f("ck_task_kind"),
        ),
        sa.CheckConstraint(
            "state = 'open' OR state = 'decided' OR state = 'escalated' OR state = 'withdrawn'",
            name=op.f("ck_task_state"),
        ),
        sa.ForeignKeyConstraint(["assigned_to_id"], ["person.id"], name=op.f("fk_task_assigned_to_id")),
        sa.ForeignKeyConstraint(["escalated_from_id"], ["task.id"], name=op.f("fk_task_escalated_from_id")),
        sa.ForeignKeyConstraint(["gold_id"], ["gold.id"], name=op.f("fk_task_gold_id")),
        sa.ForeignKeyConstraint(["holder_id"], ["person.id"], name=op.f("fk_task_holder_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_task_item_id")),
        sa.ForeignKeyConstraint(["queue_id"], ["queue.id"], name=op.f("fk_task_queue_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index(
        "ix_task_assigned",
        "task",
        ["assigned_to_id"],
        unique=False,
        sqlite_where=sa.text("state = 'open' AND assigned_to_id IS NOT NULL"),
        postgresql_where=sa.text("state = 'open' AND assigned_to_id IS NOT NULL"),
    )
    op.create_index(
        "ix_task_claim",
        "task",
        ["queue_id", sa.literal_column("priority DESC"), "due_at", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_task_holder",
        "task",
        ["holder_id"],
        unique=False,
        sqlite_where=sa.text("state = 'open' AND holder_id IS NOT NULL"),
        postgresql_where=sa.text("state = 'open' AND holder_id IS NOT NULL"),
    )
    op.create_index("ix_task_item_id", "task", ["item_id"], unique=False)
    op.create_index(
        "ix_task_steps",
        "task",
        ["queue_id", "n_steps", "due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("item_version", sa.Integer(), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.Column("cause", sa.String(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("correction", sa.Text(), nullable=True),
        sa.Column("difference", sa.Text(), nullable=True),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("spans", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("decided_by_kind", sa.String(), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(decided_by_kind = 'system') = (cause IS NOT NULL)", name=op.f("ck_decision_cause")),
        sa.CheckConstraint("(verdict = 'correct') = (correction IS NOT NULL)", name=op.f("ck_decision_correction")),
        sa.CheckConstraint(
            "decided_by_kind = 'person' OR decided_by_kind = 'system'", name=op.f("ck_decision_decided_by_kind")
        ),
        sa.CheckConstraint(
            "verdict = 'approve' OR verdict = 'correct' OR verdict = 'reject'", name=op.f("ck_decision_verdict")
        ),
        sa.ForeignKeyConstraint(["decided_by_id"], ["person.id"], name=op.f("fk_decision_decided_by_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_decision_item_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_decision_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index("ix_decision_by", "decision", ["decided_by_id", "decided_at"], unique=False)
    op.create_index("ix_decision_decided_at", "decision", ["decided_at"], unique=False)
    op.create_index("ix_decision_item_id", "decision", ["item_id"], unique=False)
    op.create_index(
        "uq_decision_final",
        "decision",
        ["item_id"],
        unique=True,
        sqlite_where=sa.text("is_final AND superseded_at IS NULL"),
        postgresql_where=sa.text("is_final AND superseded_at IS NULL"),
    )
    op.create_index(
        "uq_decision_task",
        "decision",
        ["task_id"],
        unique=True,
        sqlite_where=sa.text("superseded_at IS NULL"),
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "escalation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("from_task_id", sa.Uuid(), nullable=False),
        sa.Column("to_task_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["person.id"], name=op.f("fk_escalation_by_id")),
        sa.ForeignKeyConstraint(["from_task_id"], ["task.id"], name=op.f("fk_escalation_from_task_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_escalation_item_id")),
        sa.ForeignKeyConstraint(["to_task_id"], ["task.id"], name=op.f("fk_escalation_to_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation")),
        sa.UniqueConstraint("from_task_id", name=op.f("uq_escalation_from_task_id")),
        sa.UniqueConstraint("to_task_id", name=op.f("uq_escalation_to_task_id")),
    )
    op.create_index(op.f("ix_escalation_item_id"), "escalation", ["item_id"], unique=False)
    op.create_table(
        "gold_answer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("gold_id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("correction", sa.Text(), nullable=True),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.Column("spans", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("is_right", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["gold_id"], ["gold.id"], name=op.f("fk_gold_answer_gold_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_gold_answer_person_id")),
        sa.ForeignKeyConstraint(["system_id"], ["system.id"], name=op.f("fk_gold_answer_system_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_gold_answer_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gold_answer")),
    )
    op.create_index("ix_gold_answer_person", "gold_answer", ["person_id", "system_id", "at"], unique=False)
    op.create_index(
        "uq_gold_answer_gold_person",
        "gold_answer",
        ["gold_id", "person_id"],
        unique=True,
        sqlite_where=sa.text("superseded_at IS NULL"),
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.create_table(
        "question",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["asked_by_id"], ["person.id"], name=op.f("fk_question_asked_by_id")),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_question_item_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_question_task_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
    )
    op.create_index(op.f("ix_question_item_id"), "question", ["item_id"], unique=False)
    op.create_table(
        "service_step",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_service_step_task_id")),
        sa.PrimaryKeyConstraint("task_id", "step", name=op.f("pk_service_step")),
    )
    op.create_table(
        "task_skill",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("skill", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_task_skill_task_id")),
        sa.PrimaryKeyConstraint("task_id", "skill", name=op.f("pk_task_skill")),
    )
    op.create_table(
        "task_skip",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_task_skip_person_id")),
        sa.ForeignKeyConstraint(["task_id"], ["task.id"], name=op.f("fk_task_skip_task_id")),
        sa.PrimaryKeyConstraint("task_id", "person_id", name=op.f("pk_task_skip")),
    )
    for statement in _KEPT[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS holdpoint_kept() CASCADE")
    op.drop_table("task_skip")
    op.drop_table("task_skill")
    op.drop_table("service_step")
    op.drop_index(op.f("ix_question_item_id"), table_name="question")
    op.drop_table("question")
    op.drop_index(
        "uq_gold_answer_gold_person",
        table_name="gold_answer",
        sqlite_where=sa.text("superseded_at IS NULL"),
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.drop_index("ix_gold_answer_person", table_name="gold_answer")
    op.drop_table("gold_answer")
    op.drop_index(op.f("ix_escalation_item_id"), table_name="escalation")
    op.drop_table("escalation")
    op.drop_index(
        "uq_decision_task",
        table_name="decision",
        sqlite_where=sa.text("superseded_at IS NULL"),
        postgresql_where=sa.text("superseded_at IS NULL"),
    )
    op.drop_index(
        "uq_decision_final",
        table_name="decision",
        sqlite_where=sa.text("is_final AND superseded_at IS NULL"),
        postgresql_where=sa.text("is_final AND superseded_at IS NULL"),
    )
    op.drop_index("ix_decision_item_id", table_name="decision")
    op.drop_index("ix_decision_decided_at", table_name="decision")
    op.drop_index("ix_decision_by", table_name="decision")
    op.drop_table("decision")
    op.drop_index(
        "ix_task_steps",
        table_name="task",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_index("ix_task_item_id", table_name="task")
    op.drop_index(
        "ix_task_holder",
        table_name="task",
        sqlite_where=sa.text("state = 'open' AND holder_id IS NOT NULL"),
        postgresql_where=sa.text("state = 'open' AND holder_id IS NOT NULL"),
    )
    op.drop_index(
        "ix_task_claim",
        table_name="task",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_index(
        "ix_task_assigned",
        table_name="task",
        sqlite_where=sa.text("state = 'open' AND assigned_to_id IS NOT NULL"),
        postgresql_where=sa.text("state = 'open' AND assigned_to_id IS NOT NULL"),
    )
    op.drop_table("task")
    op.drop_table("task_bar")
    op.drop_table("item_payload")
    op.drop_index(op.f("ix_gold_system_id"), table_name="gold")
    op.drop_table("gold")
    op.drop_index(op.f("ix_drill_contingency_id"), table_name="drill")
    op.drop_table("drill")
    op.drop_index(op.f("ix_comment_item_id"), table_name="comment")
    op.drop_table("comment")
    op.drop_index(op.f("ix_policy_draft_system_id"), table_name="policy_draft")
    op.drop_table("policy_draft")
    op.drop_table("policy")
    op.drop_index(
        "uq_pause_person_system",
        table_name="pause",
        sqlite_where=sa.text("lifted_at IS NULL"),
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.drop_table("pause")
    op.drop_index("ix_item_system_id_id", table_name="item")
    op.drop_index(
        "ix_item_reviewed",
        table_name="item",
        sqlite_where=sa.text("status <> 'passed'"),
        postgresql_where=sa.text("status <> 'passed'"),
    )
    op.drop_index(
        "ix_item_lapses_at",
        table_name="item",
        sqlite_where=sa.text("release_state = 'pending' AND lapses_at IS NOT NULL"),
        postgresql_where=sa.text("release_state = 'pending' AND lapses_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_item_bundle",
        table_name="item",
        sqlite_where=sa.text("bundle IS NOT NULL"),
        postgresql_where=sa.text("bundle IS NOT NULL"),
    )
    op.drop_table("item")
    op.drop_table("contingency")
    op.drop_index("ix_calibration_latest", table_name="calibration")
    op.drop_table("calibration")
    op.drop_index(op.f("ix_bulk_choice_by_id"), table_name="bulk_choice")
    op.drop_table("bulk_choice")
    op.drop_table("api_key")
    op.drop_table("system")
    op.drop_index(op.f("ix_reassignment_by_id"), table_name="reassignment")
    op.drop_table("reassignment")
    op.drop_table("queue_member")
    op.drop_table("person_skill")
    op.drop_index(op.f("ix_absence_person_id"), table_name="absence")
    op.drop_table("absence")
    op.drop_index("ix_sign_in_attempt_username_at", table_name="sign_in_attempt")
    op.drop_index("ix_sign_in_attempt_address_at", table_name="sign_in_attempt")
    op.drop_table("sign_in_attempt")
    op.drop_table("queue")
    op.drop_table("person")
    op.drop_index(
        "ix_outbox_message_waiting",
        table_name="outbox_message",
        sqlite_where=sa.text("sent_at IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.drop_table("outbox_message")
    op.drop_index(
        "ix_audit_event_unsealed",
        table_name="audit_event",
        sqlite_where=sa.text("seq IS NULL"),
        postgresql_where=sa.text("seq IS NULL"),
    )
    op.drop_index("ix_audit_event_subject", table_name="audit_event")
    op.drop_table("audit_event")
    op.drop_table("audit_checkpoint")
