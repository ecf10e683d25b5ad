"""The first schema."""

import sqlalchemy as sa
from alembic import op

from portal.db import Instant, VersionKey

revision = "0001"
down_revision = None


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":  # a search within titles, without reading a million of them
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_table(
        "agreements",
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements")),
        sa.UniqueConstraint("code", name=op.f("uq_agreements_code")),
    )
    op.create_table(
        "audit_events",
        sa.Column(
            "sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("tag", sa.String(length=60), nullable=False),
        sa.Column(
            "via",
            sa.Enum("session", "token", "command", "job", "nobody", name="via", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("person_name", sa.String(length=200), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("subject_kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=80), nullable=False),
        sa.Column("subject_name", sa.String(length=300), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_events")),
    )
    with op.batch_alter_table("audit_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_events_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_events_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_events_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_events_subject_id"), ["subject_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_events_tag"), ["tag"], unique=False)

    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "carriers",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("name_key", sa.String(length=100), nullable=False),
        sa.Column("tracking_url", sa.String(length=500), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("removed_at", Instant(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carriers")),
        sa.UniqueConstraint("name_key", name=op.f("uq_carriers_name_key")),
    )
    op.create_table(
        "counters",
        sa.Column("series", sa.String(length=40), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("series", name=op.f("pk_counters")),
    )
    op.create_table(
        "desk_version",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_version")),
    )
    op.create_table(
        "jobs",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=True),
        sa.Column("arguments", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("queued", "running", "done", "dead", name="jobstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("run_at", Instant(), nullable=False),
        sa.Column("leased_until", Instant(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("key", name=op.f("uq_jobs_key")),
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index("ix_jobs_state_run_at", ["state", "run_at"], unique=False)

    op.create_table(
        "one_time_codes",
        sa.Column(
            "purpose",
            sa.Enum("email-link", "hand-over", "receipt", name="codepurpose", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "channel", sa.Enum("email", "phone", name="codechannel", native_enum=False, length=40), nullable=False
        ),
        sa.Column("masked", sa.String(length=254), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_codes")),
        sa.UniqueConstraint(
            "purpose", "subject_id", "number", name=op.f("uq_one_time_codes_purpose_subject_id_number")
        ),
    )
    op.create_table(
        "organisations",
        sa.Column(
            "kind",
            sa.Enum("vendor", "support", "customer", name="organisationkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column(
            "end_use",
            sa.Enum("civil", "government", "military", name="enduse", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("suspended_at", Instant(), nullable=True),
        sa.Column("suspended_because", sa.String(length=500), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("code", name=op.f("uq_organisations_code")),
        sa.UniqueConstraint("name", name=op.f("uq_organisations_name")),
    )
    op.create_table(
        "outgoing_mail",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("secret_until", Instant(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_mail")),
        sa.UniqueConstraint("key", name=op.f("uq_outgoing_mail_key")),
    )
    op.create_table(
        "outgoing_texts",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("secret_until", Instant(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_texts")),
        sa.UniqueConstraint("key", name=op.f("uq_outgoing_texts_key")),
    )
    op.create_table(
        "product_families",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_families")),
        sa.UniqueConstraint("name", name=op.f("uq_product_families_name")),
    )
    op.create_table(
        "service_programmes",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_programmes")),
        sa.UniqueConstraint("name", name=op.f("uq_service_programmes_name")),
    )
    op.create_table(
        "sign_in_attempts",
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_attempts")),
    )
    with op.batch_alter_table("sign_in_attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_attempts_address"), ["address"], unique=False)
        batch_op.create_index(batch_op.f("ix_sign_in_attempts_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_sign_in_attempts_email"), ["email"], unique=False)

    op.create_table(
        "ticket_counter",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_counter")),
    )
    op.create_table(
        "agreement_versions",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("effective_from", Instant(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreements.id"], name=op.f("fk_agreement_versions_agreement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_versions")),
        sa.UniqueConstraint("agreement_id", "number", name=op.f("uq_agreement_versions_agreement_id_number")),
    )
    op.create_table(
        "contracts",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("programme", sa.String(length=100), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column(
            "state", sa.Enum("active", "on-hold", name="contractstate", native_enum=False, length=40), nullable=False
        ),
        sa.Column("held_because", sa.String(length=500), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("ends_on >= starts_on", name=op.f("ck_contracts_ends_after_start")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_contracts_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contracts")),
        sa.UniqueConstraint("number", name=op.f("uq_contracts_number")),
    )
    with op.batch_alter_table("contracts", schema=None) as batch_op:
        batch_op.create_index(
            "ix_contracts_organisation_ends_starts", ["organisation_id", "ends_at", "starts_at"], unique=False
        )

    op.create_table(
        "customer_keys",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("wrapped_at", Instant(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_customer_keys_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_keys")),
    )
    with op.batch_alter_table("customer_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_customer_keys_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "delivery_addresses",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("removed_at", Instant(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_delivery_addresses_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_addresses")),
    )
    with op.batch_alter_table("delivery_addresses", schema=None) as batch_op:
        batch_op.create_index("ix_delivery_addresses_organisation", ["organisation_id"], unique=False)

    op.create_table(
        "delivery_policies",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("may_attach", sa.Boolean(), nullable=False),
        sa.Column("wants_witness", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_delivery_policies_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_delivery_policies")),
    )
    op.create_table(
        "media",
        sa.Column(
            "kind",
            sa.Enum("usb", "ssd", "sd", "disc", "other", name="mediumkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("serial", sa.String(length=100), nullable=False),
        sa.Column("serial_key", sa.String(length=100), nullable=False),
        sa.Column("capacity_bytes", sa.BigInteger(), nullable=False),
        sa.Column(
            "owner", sa.Enum("vendor", "customer", name="mediumowner", native_enum=False, length=40), nullable=False
        ),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "in-stock",
                "written",
                "in-transit",
                "at-customer",
                "returned",
                "lost",
                "destroyed",
                name="mediumstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(owner = 'customer') = (organisation_id IS NOT NULL)", name=op.f("ck_media_customers_have_names")
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_media_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
        sa.UniqueConstraint("serial_key", name=op.f("uq_media_serial_key")),
    )
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_media_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index("ix_media_state", ["state"], unique=False)

    op.create_table(
        "people",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("session_epoch", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.Column("last_sign_in_at", Instant(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_people_email_is_lower")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_people_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("email", name=op.f("uq_people_email")),
    )
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_people_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "products",
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "category",
            sa.Enum(
                "firmware", "operating-system", "application", "tool", name="category", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column(
            "scheme",
            sa.Enum("semantic", "debian", "natural", name="scheme", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("family_id", sa.Uuid(), nullable=True),
        sa.Column("is_listed", sa.Boolean(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("release_counter", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["family_id"], ["product_families.id"], name=op.f("fk_products_family_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("code", name=op.f("uq_products_code")),
    )
    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_products_family_id"), ["family_id"], unique=False)

    op.create_table(
        "sites",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.JSON(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("contact_name", sa.String(length=200), nullable=False),
        sa.Column("contact_phone", sa.String(length=40), nullable=False),
        sa.Column("contact_email", sa.String(length=254), nullable=False),
        sa.Column("night_contact", sa.String(length=300), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("removed_at", Instant(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_sites_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sites")),
        sa.UniqueConstraint("organisation_id", "code", name=op.f("uq_sites_organisation_id_code")),
    )
    op.create_table(
        "statements",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("issued_at", Instant(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("late", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("object_key", sa.String(length=200), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_statements_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statements")),
        sa.UniqueConstraint("organisation_id", "month", name=op.f("uq_statements_organisation_id_month")),
    )
    with op.batch_alter_table("statements", schema=None) as batch_op:
        batch_op.create_index("ix_statements_month", ["month"], unique=False)

    op.create_table(
        "api_tokens",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("hint", sa.String(length=16), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("scope_words", sa.JSON(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("last_used_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_api_tokens_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_api_tokens_secret_hash")),
    )
    with op.batch_alter_table("api_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_tokens_person_id"), ["person_id"], unique=False)

    op.create_table(
        "authorized_persons",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_authorized_persons_email_is_lower")),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_authorized_persons_created_by")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_authorized_persons_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_authorized_persons_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorized_persons")),
        sa.UniqueConstraint("organisation_id", "email", name=op.f("uq_authorized_persons_organisation_id_email")),
    )
    op.create_table(
        "calendar_feeds",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_calendar_feeds_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feeds")),
        sa.UniqueConstraint("person_id", name=op.f("uq_calendar_feeds_person_id")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_calendar_feeds_secret_hash")),
    )
    op.create_table(
        "contacts",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("phones", sa.JSON(), nullable=False),
        sa.Column("phone_digits", sa.Text(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=200), nullable=False),
        sa.Column("is_night_contact", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("removed_at", Instant(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_contacts_email_is_lower")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_contacts_organisation_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_contacts_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contacts")),
    )
    with op.batch_alter_table("contacts", schema=None) as batch_op:
        batch_op.create_index("ix_contacts_email", ["email"], unique=False)
        batch_op.create_index(batch_op.f("ix_contacts_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "contract_lines",
        sa.Column("contract_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("family_id", sa.Uuid(), nullable=True),
        sa.Column("levels", sa.Integer(), nullable=False),
        sa.Column("devices", sa.Integer(), nullable=True),
        sa.Column("has_back_catalogue", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(product_id IS NULL) <> (family_id IS NULL)", name=op.f("ck_contract_lines_product_or_family")
        ),
        sa.CheckConstraint("levels > 0", name=op.f("ck_contract_lines_some_level")),
        sa.ForeignKeyConstraint(["contract_id"], ["contracts.id"], name=op.f("fk_contract_lines_contract_id")),
        sa.ForeignKeyConstraint(["family_id"], ["product_families.id"], name=op.f("fk_contract_lines_family_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_contract_lines_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_lines")),
    )
    with op.batch_alter_table("contract_lines", schema=None) as batch_op:
        batch_op.create_index("ix_contract_lines_contract_family", ["contract_id", "family_id"], unique=False)
        batch_op.create_index("ix_contract_lines_contract_product", ["contract_id", "product_id"], unique=False)

    op.create_table(
        "devices",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("serial", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("installed_version", sa.String(length=100), nullable=True),
        sa.Column("installed_key", VersionKey, nullable=True),
        sa.Column("since", Instant(), nullable=False),
        sa.Column(
            "how_known",
            sa.Enum(
                "reported",
                "import",
                "update-request",
                "remote-session",
                "support-centre",
                name="howknown",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("removed_at", Instant(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_devices_organisation_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_devices_product_id")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_devices_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
    )
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.create_index("ix_devices_organisation_product", ["organisation_id", "product_id"], unique=False)
        batch_op.create_index("ix_devices_site", ["site_id"], unique=False)
        batch_op.create_index(
            "uq_devices_product_serial",
            ["product_id", "serial"],
            unique=True,
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )

    op.create_table(
        "duty_shifts",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role", sa.Enum("on-duty", "shift-lead", name="dutyrole", native_enum=False, length=40), nullable=False
        ),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_duty_shifts_ends_after_start")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_duty_shifts_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duty_shifts")),
    )
    with op.batch_alter_table("duty_shifts", schema=None) as batch_op:
        batch_op.create_index("ix_duty_shifts_ends_starts", ["ends_at", "starts_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_duty_shifts_person_id"), ["person_id"], unique=False)

    op.create_table(
        "export_rules",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("end_use", sa.String(length=40), nullable=True),
        sa.Column("clause", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("country IS NOT NULL OR end_use IS NOT NULL", name=op.f("ck_export_rules_says_something")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_export_rules_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_rules")),
    )
    with op.batch_alter_table("export_rules", schema=None) as batch_op:
        batch_op.create_index("ix_export_rules_product", ["product_id"], unique=False)

    op.create_table(
        "issues",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("public_id", sa.String(length=40), nullable=False),
        sa.Column(
            "severity",
            sa.Enum("critical", "high", "medium", "low", name="severity", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_issues_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issues")),
        sa.UniqueConstraint("public_id", name=op.f("uq_issues_public_id")),
    )
    with op.batch_alter_table("issues", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_issues_product_id"), ["product_id"], unique=False)

    op.create_table(
        "one_time_links",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum("invitation", "password-reset", name="linkpurpose", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_one_time_links_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_links")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_one_time_links_secret_hash")),
    )
    with op.batch_alter_table("one_time_links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_one_time_links_person_id"), ["person_id"], unique=False)

    op.create_table(
        "person_roles",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "publisher",
                "approver",
                "administrator",
                "auditor",
                "tsc-engineer",
                "dispatcher",
                "customer-engineer",
                "customer-manager",
                name="role",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_person_roles_person_id")),
        sa.PrimaryKeyConstraint("person_id", "role", name=op.f("pk_person_roles")),
    )
    op.create_table(
        "product_agreements",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreements.id"], name=op.f("fk_product_agreements_agreement_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_product_agreements_product_id")),
        sa.PrimaryKeyConstraint("product_id", "agreement_id", name=op.f("pk_product_agreements")),
    )
    op.create_table(
        "shift_notes",
        sa.Column("at", Instant(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("person_name", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("read_at", Instant(), nullable=True),
        sa.Column("read_by_name", sa.String(length=200), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_shift_notes_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_notes")),
    )
    with op.batch_alter_table("shift_notes", schema=None) as batch_op:
        batch_op.create_index("ix_shift_notes_read_at", ["read_at"], unique=False)

    op.create_table(
        "trains",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("general_availability", sa.Date(), nullable=True),
        sa.Column("end_of_sale", sa.Date(), nullable=True),
        sa.Column("end_of_support", sa.Date(), nullable=True),
        sa.Column("end_of_security_support", sa.Date(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_trains_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trains")),
        sa.UniqueConstraint("product_id", "name", name=op.f("uq_trains_product_id_name")),
    )
    op.create_table(
        "acts",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column(
            "kind", sa.Enum("acceptance", "return", name="actkind", native_enum=False, length=40), nullable=False
        ),
        sa.Column(
            "state",
            sa.Enum("open", "signed", "refused", "abandoned", name="actstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("recipient_id", sa.Uuid(), nullable=False),
        sa.Column("recipient", sa.JSON(), nullable=False),
        sa.Column("power", sa.JSON(), nullable=False),
        sa.Column(
            "document_kind",
            sa.Enum(
                "passport",
                "id-card",
                "driving-licence",
                "service-card",
                "residence-permit",
                name="documentkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("document_ending", sa.String(length=4), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("handed_by_id", sa.Uuid(), nullable=True),
        sa.Column("handed_by_name", sa.String(length=200), nullable=False),
        sa.Column("wants_witness", sa.Boolean(), nullable=False),
        sa.Column("submission", sa.String(length=64), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("closed_by_name", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("code_channel", sa.String(length=20), nullable=False),
        sa.Column("code_address", sa.String(length=254), nullable=False),
        sa.Column("code_confirmed_at", Instant(), nullable=True),
        sa.Column("signed_at", Instant(), nullable=True),
        sa.Column(
            "signature_kind",
            sa.Enum("drawn", "typed", name="signaturekind", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("signature_key", sa.String(length=200), nullable=True),
        sa.Column("signature_sha256", sa.String(length=64), nullable=True),
        sa.Column("witness_name", sa.String(length=200), nullable=False),
        sa.Column("witness_key", sa.String(length=200), nullable=True),
        sa.Column("witness_sha256", sa.String(length=64), nullable=True),
        sa.Column("pdf_key", sa.String(length=200), nullable=True),
        sa.Column("pdf_sha256", sa.String(length=64), nullable=True),
        sa.Column("pdf_size_bytes", sa.Integer(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("length(document_ending) <= 4", name=op.f("ck_acts_ending_of_four")),
        sa.ForeignKeyConstraint(["handed_by_id"], ["people.id"], name=op.f("fk_acts_handed_by_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_acts_organisation_id")),
        sa.ForeignKeyConstraint(["recipient_id"], ["authorized_persons.id"], name=op.f("fk_acts_recipient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acts")),
        sa.UniqueConstraint("number", name=op.f("uq_acts_number")),
        sa.UniqueConstraint("submission", name=op.f("uq_acts_submission")),
    )
    with op.batch_alter_table("acts", schema=None) as batch_op:
        batch_op.create_index("ix_acts_organisation_opened", ["organisation_id", "opened_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_acts_recipient_id"), ["recipient_id"], unique=False)
        batch_op.create_index("ix_acts_state_opened", ["state", "opened_at"], unique=False)

    op.create_table(
        "agreement_acceptances",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("authorized_person_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(person_id IS NULL) <> (authorized_person_id IS NULL)",
            name=op.f("ck_agreement_acceptances_person_or_recipient"),
        ),
        sa.ForeignKeyConstraint(
            ["authorized_person_id"],
            ["authorized_persons.id"],
            name=op.f("fk_agreement_acceptances_authorized_person_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_agreement_acceptances_organisation_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_agreement_acceptances_person_id")),
        sa.ForeignKeyConstraint(
            ["version_id"], ["agreement_versions.id"], name=op.f("fk_agreement_acceptances_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_acceptances")),
        sa.UniqueConstraint(
            "version_id", "authorized_person_id", name=op.f("uq_agreement_acceptances_version_id_authorized_person_id")
        ),
        sa.UniqueConstraint("version_id", "person_id", name=op.f("uq_agreement_acceptances_version_id_person_id")),
    )
    with op.batch_alter_table("agreement_acceptances", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_agreement_acceptances_authorized_person_id"), ["authorized_person_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_agreement_acceptances_person_id"), ["person_id"], unique=False)

    op.create_table(
        "device_backups",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("configuration", "image", "other", name="backupkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("installed_version", sa.String(length=100), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("stored_at", Instant(), nullable=False),
        sa.Column("stored_by", sa.Uuid(), nullable=True),
        sa.Column("stored_by_name", sa.String(length=200), nullable=False),
        sa.Column("checked_at", Instant(), nullable=True),
        sa.Column("problem", sa.String(length=40), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_device_backups_device_id")),
        sa.ForeignKeyConstraint(["key_id"], ["customer_keys.id"], name=op.f("fk_device_backups_key_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_device_backups_organisation_id")
        ),
        sa.ForeignKeyConstraint(["stored_by"], ["people.id"], name=op.f("fk_device_backups_stored_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_backups")),
    )
    with op.batch_alter_table("device_backups", schema=None) as batch_op:
        batch_op.create_index("ix_device_backups_device_stored", ["device_id", "stored_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_device_backups_key"), ["key"], unique=False)

    op.create_table(
        "device_changes",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "added", "version", "site", "name", "serial", "removed", name="changekind", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("before", sa.String(length=300), nullable=False),
        sa.Column("after", sa.String(length=300), nullable=False),
        sa.Column(
            "how_known",
            sa.Enum(
                "reported",
                "import",
                "update-request",
                "remote-session",
                "support-centre",
                name="howknown",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reference", sa.String(length=200), nullable=False),
        sa.Column("reference_id", sa.Uuid(), nullable=True),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["people.id"], name=op.f("fk_device_changes_by")),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_device_changes_device_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_changes")),
    )
    with op.batch_alter_table("device_changes", schema=None) as batch_op:
        batch_op.create_index("ix_device_changes_device_at", ["device_id", "at"], unique=False)

    op.create_table(
        "issue_cves",
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("cve_id", sa.String(length=28), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_issue_cves_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", "cve_id", name=op.f("pk_issue_cves")),
    )
    with op.batch_alter_table("issue_cves", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_issue_cves_cve_id"), ["cve_id"], unique=False)

    op.create_table(
        "issue_texts",
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("workaround", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_issue_texts_issue_id")),
        sa.PrimaryKeyConstraint("issue_id", "language", name=op.f("pk_issue_texts")),
    )
    op.create_table(
        "powers_of_attorney",
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("issued_by", sa.String(length=200), nullable=False),
        sa.Column("covers_all_products", sa.Boolean(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("starts_at", Instant(), nullable=False),
        sa.Column("ends_at", Instant(), nullable=False),
        sa.Column("may_receive", sa.Boolean(), nullable=False),
        sa.Column("may_sign", sa.Boolean(), nullable=False),
        sa.Column("scan", sa.JSON(), nullable=True),
        sa.Column(
            "state",
            sa.Enum("unconfirmed", "confirmed", "declined", "revoked", name="powerstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by_name", sa.String(length=200), nullable=False),
        sa.Column("checked", sa.String(length=500), nullable=False),
        sa.Column("declined_because", sa.String(length=500), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_because", sa.String(length=500), nullable=False),
        sa.Column("asked_at", Instant(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("valid_from <= valid_until", name=op.f("ck_powers_of_attorney_starts_before_it_ends")),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_powers_of_attorney_created_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["people.id"], name=op.f("fk_powers_of_attorney_decided_by")),
        sa.ForeignKeyConstraint(["holder_id"], ["authorized_persons.id"], name=op.f("fk_powers_of_attorney_holder_id")),
        sa.ForeignKeyConstraint(["revoked_by"], ["people.id"], name=op.f("fk_powers_of_attorney_revoked_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_powers_of_attorney")),
    )
    with op.batch_alter_table("powers_of_attorney", schema=None) as batch_op:
        batch_op.create_index("ix_powers_of_attorney_holder", ["holder_id"], unique=False)

    op.create_table(
        "releases",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("train_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.String(length=100), nullable=False),
        sa.Column("version_key", VersionKey, nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "in-review",
                "approved",
                "published",
                "withdrawn",
                name="releasestate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("is_required", sa.Boolean(), nullable=False),
        sa.Column("is_security_fix", sa.Boolean(), nullable=False),
        sa.Column("is_free_security_fix", sa.Boolean(), nullable=False),
        sa.Column("lowest_from_version", sa.String(length=100), nullable=True),
        sa.Column("lowest_from_key", VersionKey, nullable=True),
        sa.Column("downtime_minutes", sa.Integer(), nullable=True),
        sa.Column("open_from", Instant(), nullable=True),
        sa.Column("embargo_until", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("submitted_at", Instant(), nullable=True),
        sa.Column("submitted_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", Instant(), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("published_at", Instant(), nullable=True),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("counter", sa.Integer(), nullable=True),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.Column("withdrawn_because", sa.Text(), nullable=True),
        sa.Column("replacement_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "published_at IS NOT NULL OR state NOT IN ('published', 'withdrawn')",
            name=op.f("ck_releases_published_is_dated"),
        ),
        sa.ForeignKeyConstraint(["approved_by"], ["people.id"], name=op.f("fk_releases_approved_by")),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_releases_created_by")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_releases_product_id")),
        sa.ForeignKeyConstraint(["published_by"], ["people.id"], name=op.f("fk_releases_published_by")),
        sa.ForeignKeyConstraint(["replacement_id"], ["releases.id"], name=op.f("fk_releases_replacement_id")),
        sa.ForeignKeyConstraint(["submitted_by"], ["people.id"], name=op.f("fk_releases_submitted_by")),
        sa.ForeignKeyConstraint(["train_id"], ["trains.id"], name=op.f("fk_releases_train_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
        sa.UniqueConstraint("product_id", "counter", name=op.f("uq_releases_product_id_counter")),
        sa.UniqueConstraint("product_id", "version", name=op.f("uq_releases_product_id_version")),
        sa.UniqueConstraint("product_id", "version_key", name=op.f("uq_releases_product_id_version_key")),
    )
    with op.batch_alter_table("releases", schema=None) as batch_op:
        batch_op.create_index(
            "ix_releases_by_product",
            ["product_id", "published_at", "state", "level", "is_free_security_fix", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_releases_product_state_published_at", ["product_id", "state", "published_at"], unique=False
        )
        batch_op.create_index("ix_releases_state_published_at", ["state", "published_at"], unique=False)

    op.create_table(
        "tickets",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind", sa.Enum("incident", "question", name="ticketkind", native_enum=False, length=40), nullable=False
        ),
        sa.Column(
            "channel",
            sa.Enum("telephone", "web", "email", "api", name="ticketchannel", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "severity",
            sa.Enum("critical", "major", "minor", name="ticketseverity", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "new",
                "open",
                "waiting-for-customer",
                "waiting-for-release",
                "fix-available",
                "resolved",
                "closed",
                name="ticketstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=True),
        sa.Column("installed_version", sa.String(length=100), nullable=True),
        sa.Column("opened_by", sa.Uuid(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("caller", sa.String(length=200), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=True),
        sa.Column(
            "impact", sa.Enum("high", "medium", "low", name="degree", native_enum=False, length=40), nullable=True
        ),
        sa.Column(
            "urgency", sa.Enum("high", "medium", "low", name="degree", native_enum=False, length=40), nullable=True
        ),
        sa.Column("severity_reason", sa.String(length=500), nullable=False),
        sa.Column("merged_into_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("assigned_to", sa.Uuid(), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("last_answer_at", Instant(), nullable=True),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("watch_at", Instant(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["assigned_to"], ["people.id"], name=op.f("fk_tickets_assigned_to")),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_tickets_contact_id")),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_tickets_device_id")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["tickets.id"], name=op.f("fk_tickets_merged_into_id")),
        sa.ForeignKeyConstraint(["opened_by"], ["people.id"], name=op.f("fk_tickets_opened_by")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_tickets_organisation_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_tickets_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("number", name=op.f("uq_tickets_number")),
    )
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.create_index(
            "ix_tickets_assigned",
            ["assigned_to", "state"],
            unique=False,
            postgresql_where=sa.text("assigned_to IS NOT NULL"),
        )
        batch_op.create_index("ix_tickets_created", ["created_at"], unique=False)
        batch_op.create_index(
            "ix_tickets_due", ["due_at"], unique=False, postgresql_where=sa.text("due_at IS NOT NULL")
        )
        batch_op.create_index("ix_tickets_organisation_created", ["organisation_id", "created_at"], unique=False)
        batch_op.create_index("ix_tickets_organisation_number", ["organisation_id", "number"], unique=False)
        batch_op.create_index(batch_op.f("ix_tickets_product_id"), ["product_id"], unique=False)
        batch_op.create_index(
            "ix_tickets_search_text",
            ["search_text"],
            unique=False,
            postgresql_using="gin",
            postgresql_ops={"search_text": "gin_trgm_ops"},
        )
        batch_op.create_index("ix_tickets_state_created", ["state", "created_at"], unique=False)
        batch_op.create_index(
            "ix_tickets_watch", ["watch_at"], unique=False, postgresql_where=sa.text("watch_at IS NOT NULL")
        )

    op.create_table(
        "artifacts",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "image",
                "patch",
                "checksum-tool",
                "sbom",
                "document",
                "other",
                name="artifactrole",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("platform", sa.String(length=100), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("uploaded_at", Instant(), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=True),
        sa.Column("read_back_at", Instant(), nullable=True),
        sa.Column("read_back_problem", sa.String(length=300), nullable=True),
        sa.Column("removed_at", Instant(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_artifacts_release_id")),
        sa.ForeignKeyConstraint(["uploaded_by"], ["people.id"], name=op.f("fk_artifacts_uploaded_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artifacts")),
        sa.UniqueConstraint("release_id", "name", name=op.f("uq_artifacts_release_id_name")),
    )
    with op.batch_alter_table("artifacts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_artifacts_sha256"), ["sha256"], unique=False)

    op.create_table(
        "deliveries",
        sa.Column(
            "channel",
            sa.Enum(
                "download",
                "email",
                "courier",
                "hand-over",
                "remote-installation",
                name="channel",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "approved",
                "prepared",
                "dispatched",
                "delivered",
                "acknowledged",
                "cancelled",
                "failed",
                "lost",
                "refused",
                "returned",
                name="deliverystate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("person_name", sa.String(length=200), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("delivered_at", Instant(), nullable=True),
        sa.Column("acknowledged_at", Instant(), nullable=True),
        sa.Column("decision", sa.JSON(), nullable=False),
        sa.Column("open_key", sa.String(length=80), nullable=True),
        sa.Column("number", sa.String(length=20), nullable=True),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("recipient_id", sa.Uuid(), nullable=True),
        sa.Column("recipient", sa.JSON(), nullable=True),
        sa.Column("destination", sa.JSON(), nullable=True),
        sa.Column("wanted_by", sa.Date(), nullable=True),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("since", Instant(), nullable=True),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("stopped_at", Instant(), nullable=True),
        sa.Column("replaces_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_deliveries_organisation_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_deliveries_person_id")),
        sa.ForeignKeyConstraint(["recipient_id"], ["authorized_persons.id"], name=op.f("fk_deliveries_recipient_id")),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_deliveries_release_id")),
        sa.ForeignKeyConstraint(["replaces_id"], ["deliveries.id"], name=op.f("fk_deliveries_replaces_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("number", name=op.f("uq_deliveries_number")),
        sa.UniqueConstraint("open_key", name=op.f("uq_deliveries_open_key")),
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index("ix_deliveries_created", ["created_at"], unique=False)
        batch_op.create_index("ix_deliveries_organisation_created", ["organisation_id", "created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_deliveries_recipient_id"), ["recipient_id"], unique=False)
        batch_op.create_index("ix_deliveries_release", ["release_id"], unique=False)
        batch_op.create_index("ix_deliveries_request", ["request_id"], unique=False)
        batch_op.create_index("ix_deliveries_state_due", ["state", "due_at"], unique=False)

    op.create_table(
        "grants",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["approved_by"], ["people.id"], name=op.f("fk_grants_approved_by")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisations.id"], name=op.f("fk_grants_organisation_id")),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_grants_release_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.create_index("ix_grants_organisation_release", ["organisation_id", "release_id"], unique=False)

    op.create_table(
        "kits",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_number", sa.String(length=60), nullable=False),
        sa.Column("medium_serial", sa.String(length=100), nullable=False),
        sa.Column("format", sa.Enum("tar", "iso", name="kitformat", native_enum=False, length=40), nullable=False),
        sa.Column("notes_revision", sa.Integer(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("slip", sa.Text(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("folder", sa.String(length=120), nullable=False),
        sa.Column("dated_at", Instant(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kept_key", sa.String(length=200), nullable=True),
        sa.Column("built_at", Instant(), nullable=False),
        sa.Column("built_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["built_by"], ["people.id"], name=op.f("fk_kits_built_by")),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_kits_release_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kits")),
        sa.UniqueConstraint(
            "delivery_number",
            "release_id",
            "medium_serial",
            name=op.f("uq_kits_delivery_number_release_id_medium_serial"),
        ),
    )
    with op.batch_alter_table("kits", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_kits_release_id"), ["release_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_kits_sha256"), ["sha256"], unique=False)

    op.create_table(
        "notes_revisions",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["people.id"], name=op.f("fk_notes_revisions_by")),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_notes_revisions_release_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notes_revisions")),
        sa.UniqueConstraint("release_id", "number", name=op.f("uq_notes_revisions_release_id_number")),
    )
    op.create_table(
        "power_products",
        sa.Column("power_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["power_id"], ["powers_of_attorney.id"], name=op.f("fk_power_products_power_id")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_power_products_product_id")),
        sa.PrimaryKeyConstraint("power_id", "product_id", name=op.f("pk_power_products")),
    )
    with op.batch_alter_table("power_products", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_power_products_product_id"), ["product_id"], unique=False)

    op.create_table(
        "publications",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("sums", sa.Text(), nullable=False),
        sa.Column("sums_signature", sa.LargeBinary(), nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_publications_release_id")),
        sa.PrimaryKeyConstraint("release_id", name=op.f("pk_publications")),
    )
    op.create_table(
        "recalls",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_recalls_release_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recalls")),
        sa.UniqueConstraint("release_id", name=op.f("uq_recalls_release_id")),
    )
    op.create_table(
        "received_releases",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("first_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_received_releases_organisation_id")
        ),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_received_releases_release_id")),
        sa.PrimaryKeyConstraint("organisation_id", "release_id", name=op.f("pk_received_releases")),
    )
    with op.batch_alter_table("received_releases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_received_releases_release_id"), ["release_id"], unique=False)

    op.create_table(
        "recommendations",
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("train_id", sa.Uuid(), nullable=True),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["people.id"], name=op.f("fk_recommendations_by")),
        sa.ForeignKeyConstraint(["product_id"], ["products.id"], name=op.f("fk_recommendations_product_id")),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_recommendations_release_id")),
        sa.ForeignKeyConstraint(["train_id"], ["trains.id"], name=op.f("fk_recommendations_train_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recommendations")),
    )
    with op.batch_alter_table("recommendations", schema=None) as batch_op:
        batch_op.create_index("ix_recommendations_product_train_at", ["product_id", "train_id", "at"], unique=False)

    op.create_table(
        "release_audience",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("opens_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_release_audience_organisation_id")
        ),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_release_audience_release_id")),
        sa.PrimaryKeyConstraint("release_id", "organisation_id", name=op.f("pk_release_audience")),
    )
    with op.batch_alter_table("release_audience", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_release_audience_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "release_issues",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.Column(
            "relation", sa.Enum("affected", "fixed", name="issuerelation", native_enum=False, length=40), nullable=False
        ),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_release_issues_issue_id")),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_release_issues_release_id")),
        sa.PrimaryKeyConstraint("release_id", "issue_id", name=op.f("pk_release_issues")),
    )
    with op.batch_alter_table("release_issues", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_release_issues_issue_id"), ["issue_id"], unique=False)

    op.create_table(
        "ticket_alarms",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("measure", sa.String(length=40), nullable=False),
        sa.Column("rung", sa.String(length=20), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_alarms_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_alarms")),
        sa.UniqueConstraint(
            "ticket_id", "measure", "rung", "due_at", name=op.f("uq_ticket_alarms_ticket_id_measure_rung_due_at")
        ),
    )
    op.create_table(
        "ticket_events",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "opened",
                "message",
                "note",
                "state",
                "linked",
                "session",
                "assigned",
                name="ticketeventkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("person_name", sa.String(length=200), nullable=False),
        sa.Column("by_staff", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("detail", sa.String(length=300), nullable=False),
        sa.Column("is_automatic", sa.Boolean(), nullable=False),
        sa.Column("submission", sa.String(length=80), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_ticket_events_person_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_events_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_events")),
        sa.UniqueConstraint("person_id", "submission", name=op.f("uq_ticket_events_person_id_submission")),
        sa.UniqueConstraint("ticket_id", "sequence", name=op.f("uq_ticket_events_ticket_id_sequence")),
    )
    op.create_table(
        "release_notices",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "occasion",
            sa.Enum("published", "corrected", "withdrawn", name="occasion", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("told_at", Instant(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_release_notices_organisation_id")
        ),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_release_notices_release_id")),
        sa.PrimaryKeyConstraint("release_id", "organisation_id", "occasion", "number", name=op.f("pk_release_notices")),
    )
    with op.batch_alter_table("release_notices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_release_notices_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "ticket_fixes",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("told_at", Instant(), nullable=False),
        sa.Column("taken_back_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_ticket_fixes_release_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_fixes_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "release_id", name=op.f("pk_ticket_fixes")),
    )
    with op.batch_alter_table("ticket_fixes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_fixes_release_id"), ["release_id"], unique=False)

    op.create_table(
        "ticket_issues",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("issue_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_ticket_issues_issue_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_issues_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "issue_id", name=op.f("pk_ticket_issues")),
    )
    with op.batch_alter_table("ticket_issues", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_issues_issue_id"), ["issue_id"], unique=False)

    op.create_table(
        "ticket_mails",
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column(
            "state",
            sa.Enum("posted", "held", "discarded", name="mailstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "hold",
            sa.Enum(
                "unknown-sender",
                "several-customers",
                "forged-address",
                "authentication-failed",
                "too-many",
                "ticket-closed",
                name="hold",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("sender", sa.String(length=254), nullable=False),
        sa.Column("sender_name", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["decided_by"], ["people.id"], name=op.f("fk_ticket_mails_decided_by")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_mails_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_mails")),
        sa.UniqueConstraint("identity", name=op.f("uq_ticket_mails_identity")),
    )
    with op.batch_alter_table("ticket_mails", schema=None) as batch_op:
        batch_op.create_index("ix_ticket_mails_sender_received", ["sender", "received_at"], unique=False)
        batch_op.create_index("ix_ticket_mails_state_received", ["state", "received_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_mails_ticket_id"), ["ticket_id"], unique=False)

    op.create_table(
        "ticket_opinions",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("score BETWEEN 1 AND 5", name=op.f("ck_ticket_opinions_one_to_five")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_ticket_opinions_person_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_opinions_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_opinions")),
        sa.UniqueConstraint("ticket_id", name=op.f("uq_ticket_opinions_ticket_id")),
    )
    op.create_table(
        "ticket_participants",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(contact_id IS NULL) <> (person_id IS NULL)", name=op.f("ck_ticket_participants_contact_or_person")
        ),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_ticket_participants_contact_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_ticket_participants_person_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_participants_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_participants")),
        sa.UniqueConstraint("ticket_id", "contact_id", name=op.f("uq_ticket_participants_ticket_id_contact_id")),
        sa.UniqueConstraint("ticket_id", "person_id", name=op.f("uq_ticket_participants_ticket_id_person_id")),
    )
    op.create_table(
        "ticket_releases",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_ticket_releases_release_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_releases_ticket_id")),
        sa.PrimaryKeyConstraint("ticket_id", "release_id", name=op.f("pk_ticket_releases")),
    )
    with op.batch_alter_table("ticket_releases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_releases_release_id"), ["release_id"], unique=False)

    op.create_table(
        "update_requests",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("origin", sa.Enum("agreed", "demanded", name="origin", native_enum=False, length=40), nullable=False),
        sa.Column("way", sa.Enum("remote", "own", name="way", native_enum=False, length=40), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "proposed",
                "agreed",
                "preparing",
                "running",
                "done",
                "failed",
                "rolled-back",
                "cancelled",
                name="updatestate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("begins_at", Instant(), nullable=True),
        sa.Column("ends_at", Instant(), nullable=True),
        sa.Column("customer_consent", sa.JSON(), nullable=True),
        sa.Column("support_consent", sa.JSON(), nullable=True),
        sa.Column("engineer_id", sa.Uuid(), nullable=True),
        sa.Column("delivery_request_id", sa.Uuid(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_by_name", sa.String(length=200), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["created_by"], ["people.id"], name=op.f("fk_update_requests_created_by")),
        sa.ForeignKeyConstraint(["engineer_id"], ["people.id"], name=op.f("fk_update_requests_engineer_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_update_requests_organisation_id")
        ),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_update_requests_release_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_update_requests")),
        sa.UniqueConstraint("number", name=op.f("uq_update_requests_number")),
    )
    with op.batch_alter_table("update_requests", schema=None) as batch_op:
        batch_op.create_index("ix_update_requests_organisation", ["organisation_id", "created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_update_requests_release_id"), ["release_id"], unique=False)
        batch_op.create_index("ix_update_requests_window", ["begins_at"], unique=False)

    op.create_table(
        "waivers",
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("problem", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("by_name", sa.String(length=200), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["by"], ["people.id"], name=op.f("fk_waivers_by")),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_waivers_release_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waivers")),
        sa.UniqueConstraint("release_id", "problem", name=op.f("uq_waivers_release_id_problem")),
    )
    op.create_table(
        "access_consents",
        sa.Column("update_id", sa.Uuid(), nullable=True),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("given_by", sa.Uuid(), nullable=True),
        sa.Column("given_name", sa.String(length=200), nullable=False),
        sa.Column("given_at", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("ended_name", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(update_id IS NULL) <> (ticket_id IS NULL)", name=op.f("ck_access_consents_of_one")),
        sa.ForeignKeyConstraint(["given_by"], ["people.id"], name=op.f("fk_access_consents_given_by")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_access_consents_ticket_id")),
        sa.ForeignKeyConstraint(["update_id"], ["update_requests.id"], name=op.f("fk_access_consents_update_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_consents")),
    )
    with op.batch_alter_table("access_consents", schema=None) as batch_op:
        batch_op.create_index("ix_access_consents_ticket", ["ticket_id"], unique=False)
        batch_op.create_index("ix_access_consents_update", ["update_id"], unique=False)

    op.create_table(
        "access_secrets",
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(length=100), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by_name", sa.String(length=200), nullable=False),
        sa.Column("destroyed_at", Instant(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["update_id"], ["update_requests.id"], name=op.f("fk_access_secrets_update_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_secrets")),
    )
    with op.batch_alter_table("access_secrets", schema=None) as batch_op:
        batch_op.create_index("ix_access_secrets_update", ["update_id"], unique=False)

    op.create_table(
        "act_items",
        sa.Column("act_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("medium_serials", sa.JSON(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["act_id"], ["acts.id"], name=op.f("fk_act_items_act_id")),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_act_items_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_act_items")),
        sa.UniqueConstraint("act_id", "delivery_id", name=op.f("uq_act_items_act_id_delivery_id")),
    )
    with op.batch_alter_table("act_items", schema=None) as batch_op:
        batch_op.create_index("ix_act_items_delivery", ["delivery_id"], unique=False)

    op.create_table(
        "delivery_events",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "requested",
                "approved",
                "prepared",
                "dispatched",
                "delivered",
                "acknowledged",
                "cancelled",
                "failed",
                "lost",
                "refused",
                "returned",
                "granted",
                "resumed",
                "transferred",
                "digest-differs",
                "confirmed",
                "link-opened",
                "link-withdrawn",
                "link-renewed",
                "message-arrived",
                "code-sent",
                "code-wrong",
                "code-right",
                "agreement-accepted",
                "bounced",
                "delayed",
                "medium-written",
                "medium-differs",
                "medium-returned",
                "medium-destroyed",
                "receipt-opened",
                "incident-opened",
                "incident-closed",
                "reminded",
                "replaced",
                "identity-checked",
                "recall-told",
                "recall-answered",
                "installed",
                "corrected",
                name="eventkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("person_name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_delivery_events_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_events")),
        sa.UniqueConstraint("delivery_id", "sequence", name=op.f("uq_delivery_events_delivery_id_sequence")),
    )
    op.create_table(
        "delivery_items",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("artifact_id", sa.Uuid(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("sent", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["artifact_id"], ["artifacts.id"], name=op.f("fk_delivery_items_artifact_id")),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_delivery_items_delivery_id")),
        sa.PrimaryKeyConstraint("delivery_id", "artifact_id", name=op.f("pk_delivery_items")),
    )
    with op.batch_alter_table("delivery_items", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivery_items_artifact_id"), ["artifact_id"], unique=False)

    op.create_table(
        "mail_links",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("seed", sa.LargeBinary(length=32), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("session_marker", sa.String(length=32), nullable=False),
        sa.Column("code_sent_at", Instant(), nullable=True),
        sa.Column("code_confirmed_at", Instant(), nullable=True),
        sa.Column("opened_count", sa.Integer(), nullable=False),
        sa.Column("last_opened_at", Instant(), nullable=True),
        sa.Column("kit_ranges", sa.JSON(), nullable=False),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_by_name", sa.String(length=200), nullable=False),
        sa.Column("withdrawn_because", sa.String(length=500), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_mail_links_delivery_id")),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["people.id"], name=op.f("fk_mail_links_withdrawn_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_links")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_mail_links_secret_hash")),
    )
    with op.batch_alter_table("mail_links", schema=None) as batch_op:
        batch_op.create_index("ix_mail_links_delivery", ["delivery_id"], unique=False)

    op.create_table(
        "medium_moves",
        sa.Column("medium_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "in-stock",
                "written",
                "in-transit",
                "at-customer",
                "returned",
                "lost",
                "destroyed",
                name="mediumstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("delivery_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=1000), nullable=False),
        sa.Column("proof", sa.JSON(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by_name", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_medium_moves_delivery_id")),
        sa.ForeignKeyConstraint(["medium_id"], ["media.id"], name=op.f("fk_medium_moves_medium_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_medium_moves")),
        sa.UniqueConstraint("medium_id", "number", name=op.f("uq_medium_moves_medium_id_number")),
    )
    with op.batch_alter_table("medium_moves", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_medium_moves_delivery_id"), ["delivery_id"], unique=False)

    op.create_table(
        "medium_writings",
        sa.Column("medium_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("kit_name", sa.String(length=255), nullable=False),
        sa.Column("kit_sha256", sa.String(length=64), nullable=False),
        sa.Column("kit_size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("read_back_sha256", sa.String(length=64), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum("right", "differs", "failed", name="writingoutcome", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by_name", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_medium_writings_delivery_id")),
        sa.ForeignKeyConstraint(["medium_id"], ["media.id"], name=op.f("fk_medium_writings_medium_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_medium_writings")),
    )
    with op.batch_alter_table("medium_writings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_medium_writings_delivery_id"), ["delivery_id"], unique=False)
        batch_op.create_index("ix_medium_writings_medium", ["medium_id"], unique=False)

    op.create_table(
        "recall_holdings",
        sa.Column("recall_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "download",
                "email",
                "courier",
                "hand-over",
                "remote-installation",
                name="channel",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("holder_name", sa.String(length=200), nullable=False),
        sa.Column("holder_email", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("place", sa.String(length=600), nullable=False),
        sa.Column("medium", sa.String(length=200), nullable=False),
        sa.Column("told_at", Instant(), nullable=True),
        sa.Column("told_how", sa.String(length=300), nullable=False),
        sa.Column("reminded_at", Instant(), nullable=True),
        sa.Column("answer", sa.Enum("removed", "kept", name="answer", native_enum=False, length=40), nullable=True),
        sa.Column("answer_reason", sa.String(length=1000), nullable=False),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("answered_name", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_recall_holdings_delivery_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_recall_holdings_organisation_id")
        ),
        sa.ForeignKeyConstraint(["recall_id"], ["recalls.id"], name=op.f("fk_recall_holdings_recall_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall_holdings")),
        sa.UniqueConstraint("recall_id", "key", name=op.f("uq_recall_holdings_recall_id_key")),
    )
    with op.batch_alter_table("recall_holdings", schema=None) as batch_op:
        batch_op.create_index("ix_recall_holdings_organisation", ["organisation_id"], unique=False)

    op.create_table(
        "ticket_files",
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("person_name", sa.String(length=200), nullable=False),
        sa.Column("by_staff", sa.Boolean(), nullable=False),
        sa.Column("is_internal", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["ticket_events.id"], name=op.f("fk_ticket_files_event_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_ticket_files_person_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_files_ticket_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_files")),
    )
    with op.batch_alter_table("ticket_files", schema=None) as batch_op:
        batch_op.create_index("ix_ticket_files_ticket_created", ["ticket_id", "created_at"], unique=False)

    op.create_table(
        "update_checks",
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column(
            "name",
            sa.Enum(
                "backup",
                "files",
                "notes",
                "kit",
                "spare-contact",
                "way-back",
                name="check",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("key", sa.String(length=36), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by_name", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["update_id"], ["update_requests.id"], name=op.f("fk_update_checks_update_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_update_checks")),
        sa.UniqueConstraint("update_id", "name", "key", name=op.f("uq_update_checks_update_id_name_key")),
    )
    op.create_table(
        "update_devices",
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("from_version", sa.String(length=100), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_update_devices_device_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_update_devices_ticket_id")),
        sa.ForeignKeyConstraint(["update_id"], ["update_requests.id"], name=op.f("fk_update_devices_update_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_update_devices")),
        sa.UniqueConstraint("ticket_id", name=op.f("uq_update_devices_ticket_id")),
        sa.UniqueConstraint("update_id", "device_id", name=op.f("uq_update_devices_update_id_device_id")),
    )
    with op.batch_alter_table("update_devices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_update_devices_device_id"), ["device_id"], unique=False)

    op.create_table(
        "update_events",
        sa.Column("update_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "created",
                "state",
                "window",
                "consent",
                "check",
                "step",
                "ticket",
                "secret",
                "secret-shown",
                "secrets-destroyed",
                "access",
                "access-ended",
                "session",
                "session-ended",
                "delivery",
                "installed",
                name="updateeventkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("person_name", sa.String(length=200), nullable=False),
        sa.Column("by_staff", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_update_events_person_id")),
        sa.ForeignKeyConstraint(["update_id"], ["update_requests.id"], name=op.f("fk_update_events_update_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_update_events")),
        sa.UniqueConstraint("update_id", "sequence", name=op.f("uq_update_events_update_id_sequence")),
    )
    op.create_table(
        "consignments",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("medium_id", sa.Uuid(), nullable=False),
        sa.Column("open_medium_id", sa.Uuid(), nullable=True),
        sa.Column("open_delivery_id", sa.Uuid(), nullable=True),
        sa.Column("writing_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("seal", sa.String(length=100), nullable=False),
        sa.Column("seal_key", sa.String(length=100), nullable=True),
        sa.Column("packed_at", Instant(), nullable=True),
        sa.Column("packed_by", sa.String(length=200), nullable=False),
        sa.Column("carrier_id", sa.Uuid(), nullable=True),
        sa.Column("tracking", sa.String(length=100), nullable=False),
        sa.Column("handed_over_at", Instant(), nullable=True),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("opened_at", Instant(), nullable=True),
        sa.Column("reminded_at", Instant(), nullable=True),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("received_at", Instant(), nullable=True),
        sa.Column("received_by", sa.String(length=200), nullable=False),
        sa.Column("signature", sa.JSON(), nullable=True),
        sa.Column("seen", sa.JSON(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["carrier_id"], ["carriers.id"], name=op.f("fk_consignments_carrier_id")),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_consignments_delivery_id")),
        sa.ForeignKeyConstraint(["medium_id"], ["media.id"], name=op.f("fk_consignments_medium_id")),
        sa.ForeignKeyConstraint(["writing_id"], ["medium_writings.id"], name=op.f("fk_consignments_writing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consignments")),
        sa.UniqueConstraint("open_delivery_id", name=op.f("uq_consignments_open_delivery_id")),
        sa.UniqueConstraint("open_medium_id", name=op.f("uq_consignments_open_medium_id")),
        sa.UniqueConstraint("seal_key", name=op.f("uq_consignments_seal_key")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_consignments_secret_hash")),
    )
    with op.batch_alter_table("consignments", schema=None) as batch_op:
        batch_op.create_index("ix_consignments_delivery", ["delivery_id"], unique=False)
        batch_op.create_index("ix_consignments_handed_over", ["handed_over_at"], unique=False)
        batch_op.create_index("ix_consignments_medium", ["medium_id"], unique=False)

    op.create_table(
        "mail_messages",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("link", "attachment", "reminder", name="messagekind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "sent",
                "delayed",
                "arrived",
                "bounced",
                "stopped",
                name="messagestate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("ordered_by", sa.JSON(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("waiting_since", Instant(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=500), nullable=False),
        sa.Column("reports", sa.JSON(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_mail_messages_delivery_id")),
        sa.ForeignKeyConstraint(["link_id"], ["mail_links.id"], name=op.f("fk_mail_messages_link_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_messages")),
        sa.UniqueConstraint("message_id", name=op.f("uq_mail_messages_message_id")),
    )
    with op.batch_alter_table("mail_messages", schema=None) as batch_op:
        batch_op.create_index("ix_mail_messages_delivery", ["delivery_id", "created_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_mail_messages_link_id"), ["link_id"], unique=False)

    op.create_table(
        "remote_sessions",
        sa.Column("update_id", sa.Uuid(), nullable=True),
        sa.Column("ticket_id", sa.Uuid(), nullable=True),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("engineer_id", sa.Uuid(), nullable=True),
        sa.Column("engineer_name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("ended_because", sa.String(length=40), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(update_id IS NULL) <> (ticket_id IS NULL)", name=op.f("ck_remote_sessions_of_one")),
        sa.ForeignKeyConstraint(["consent_id"], ["access_consents.id"], name=op.f("fk_remote_sessions_consent_id")),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("fk_remote_sessions_device_id")),
        sa.ForeignKeyConstraint(["engineer_id"], ["people.id"], name=op.f("fk_remote_sessions_engineer_id")),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_remote_sessions_ticket_id")),
        sa.ForeignKeyConstraint(["update_id"], ["update_requests.id"], name=op.f("fk_remote_sessions_update_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remote_sessions")),
    )
    with op.batch_alter_table("remote_sessions", schema=None) as batch_op:
        batch_op.create_index("ix_remote_sessions_device", ["device_id"], unique=False)
        batch_op.create_index("ix_remote_sessions_ticket", ["ticket_id"], unique=False)
        batch_op.create_index("ix_remote_sessions_update", ["update_id"], unique=False)

    op.create_table(
        "update_steps",
        sa.Column("update_device_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("release_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.String(length=100), nullable=False),
        sa.Column("planned_minutes", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "planned", "started", "done", "failed", "rolled-back", name="stepstate", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("downtime_seconds", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_update_steps_release_id")),
        sa.ForeignKeyConstraint(
            ["update_device_id"], ["update_devices.id"], name=op.f("fk_update_steps_update_device_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_update_steps")),
        sa.UniqueConstraint("update_device_id", "place", name=op.f("uq_update_steps_update_device_id_place")),
    )
    op.create_table(
        "incidents",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("consignment_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "broken-seal",
                "other-serial",
                "wrong-digest",
                "other",
                name="incidentkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.String(length=2000), nullable=False),
        sa.Column("seen", sa.JSON(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("opened_by", sa.String(length=200), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("closed_by", sa.String(length=200), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum("unfounded", "stands", name="incidentoutcome", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("outcome_text", sa.String(length=2000), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["consignment_id"], ["consignments.id"], name=op.f("fk_incidents_consignment_id")),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_incidents_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.create_index("ix_incidents_closed", ["closed_at"], unique=False)
        batch_op.create_index("ix_incidents_delivery", ["delivery_id"], unique=False)

    op.create_table(
        "secret_looks",
        sa.Column("secret_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by_name", sa.String(length=200), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["secret_id"], ["access_secrets.id"], name=op.f("fk_secret_looks_secret_id")),
        sa.ForeignKeyConstraint(["session_id"], ["remote_sessions.id"], name=op.f("fk_secret_looks_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_secret_looks")),
        sa.UniqueConstraint("secret_id", "session_id", name=op.f("uq_secret_looks_secret_id_session_id")),
    )

    op.execute(f"INSERT INTO audit_head (id, sequence, hash) VALUES (1, 0, '{64 * '0'}')")  # noqa: S608
    # The record only grows: neither the portal nor a slip in a console changes or removes a row of it.
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_events_no_{verb.lower()} BEFORE {verb} ON audit_events "
                "BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END"
            )
    else:
        op.execute(
            "CREATE FUNCTION audit_events_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN RAISE EXCEPTION 'audit events are never changed' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_events_only_grow BEFORE UPDATE OR DELETE ON audit_events "
            "FOR EACH ROW EXECUTE FUNCTION audit_events_only_grow()"
        )

    if op.get_bind().dialect.name != "sqlite":  # so that the planner tells a frequent phrase of titles from a rare one
        op.execute("ALTER TABLE tickets ALTER COLUMN search_text SET STATISTICS 1000")


def downgrade() -> None:
    op.drop_table("secret_looks")
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.drop_index("ix_incidents_delivery")
        batch_op.drop_index("ix_incidents_closed")

    op.drop_table("incidents")
    op.drop_table("update_steps")
    with op.batch_alter_table("remote_sessions", schema=None) as batch_op:
        batch_op.drop_index("ix_remote_sessions_update")
        batch_op.drop_index("ix_remote_sessions_ticket")
        batch_op.drop_index("ix_remote_sessions_device")

    op.drop_table("remote_sessions")
    with op.batch_alter_table("mail_messages", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mail_messages_link_id"))
        batch_op.drop_index("ix_mail_messages_delivery")

    op.drop_table("mail_messages")
    with op.batch_alter_table("consignments", schema=None) as batch_op:
        batch_op.drop_index("ix_consignments_medium")
        batch_op.drop_index("ix_consignments_handed_over")
        batch_op.drop_index("ix_consignments_delivery")

    op.drop_table("consignments")
    op.drop_table("update_events")
    with op.batch_alter_table("update_devices", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_update_devices_device_id"))

    op.drop_table("update_devices")
    op.drop_table("update_checks")
    with op.batch_alter_table("ticket_files", schema=None) as batch_op:
        batch_op.drop_index("ix_ticket_files_ticket_created")

    op.drop_table("ticket_files")
    with op.batch_alter_table("recall_holdings", schema=None) as batch_op:
        batch_op.drop_index("ix_recall_holdings_organisation")

    op.drop_table("recall_holdings")
    with op.batch_alter_table("medium_writings", schema=None) as batch_op:
        batch_op.drop_index("ix_medium_writings_medium")
        batch_op.drop_index(batch_op.f("ix_medium_writings_delivery_id"))

    op.drop_table("medium_writings")
    with op.batch_alter_table("medium_moves", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_medium_moves_delivery_id"))

    op.drop_table("medium_moves")
    with op.batch_alter_table("mail_links", schema=None) as batch_op:
        batch_op.drop_index("ix_mail_links_delivery")

    op.drop_table("mail_links")
    with op.batch_alter_table("delivery_items", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivery_items_artifact_id"))

    op.drop_table("delivery_items")
    op.drop_table("delivery_events")
    with op.batch_alter_table("act_items", schema=None) as batch_op:
        batch_op.drop_index("ix_act_items_delivery")

    op.drop_table("act_items")
    with op.batch_alter_table("access_secrets", schema=None) as batch_op:
        batch_op.drop_index("ix_access_secrets_update")

    op.drop_table("access_secrets")
    with op.batch_alter_table("access_consents", schema=None) as batch_op:
        batch_op.drop_index("ix_access_consents_update")
        batch_op.drop_index("ix_access_consents_ticket")

    op.drop_table("access_consents")
    op.drop_table("waivers")
    with op.batch_alter_table("update_requests", schema=None) as batch_op:
        batch_op.drop_index("ix_update_requests_window")
        batch_op.drop_index(batch_op.f("ix_update_requests_release_id"))
        batch_op.drop_index("ix_update_requests_organisation")

    op.drop_table("update_requests")
    with op.batch_alter_table("ticket_releases", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ticket_releases_release_id"))

    op.drop_table("ticket_releases")
    op.drop_table("ticket_participants")
    op.drop_table("ticket_opinions")
    with op.batch_alter_table("ticket_mails", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ticket_mails_ticket_id"))
        batch_op.drop_index("ix_ticket_mails_state_received")
        batch_op.drop_index("ix_ticket_mails_sender_received")

    op.drop_table("ticket_mails")
    with op.batch_alter_table("ticket_issues", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ticket_issues_issue_id"))

    op.drop_table("ticket_issues")
    with op.batch_alter_table("release_notices", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_release_notices_organisation_id"))

    op.drop_table("release_notices")
    with op.batch_alter_table("ticket_fixes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ticket_fixes_release_id"))

    op.drop_table("ticket_fixes")
    op.drop_table("ticket_events")
    op.drop_table("ticket_alarms")
    with op.batch_alter_table("release_issues", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_release_issues_issue_id"))

    op.drop_table("release_issues")
    with op.batch_alter_table("release_audience", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_release_audience_organisation_id"))

    op.drop_table("release_audience")
    with op.batch_alter_table("recommendations", schema=None) as batch_op:
        batch_op.drop_index("ix_recommendations_product_train_at")

    op.drop_table("recommendations")
    with op.batch_alter_table("received_releases", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_received_releases_release_id"))

    op.drop_table("received_releases")
    op.drop_table("recalls")
    op.drop_table("publications")
    with op.batch_alter_table("power_products", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_power_products_product_id"))

    op.drop_table("power_products")
    op.drop_table("notes_revisions")
    with op.batch_alter_table("kits", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_kits_sha256"))
        batch_op.drop_index(batch_op.f("ix_kits_release_id"))

    op.drop_table("kits")
    with op.batch_alter_table("grants", schema=None) as batch_op:
        batch_op.drop_index("ix_grants_organisation_release")

    op.drop_table("grants")
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index("ix_deliveries_state_due")
        batch_op.drop_index("ix_deliveries_request")
        batch_op.drop_index("ix_deliveries_release")
        batch_op.drop_index(batch_op.f("ix_deliveries_recipient_id"))
        batch_op.drop_index("ix_deliveries_organisation_created")
        batch_op.drop_index("ix_deliveries_created")

    op.drop_table("deliveries")
    with op.batch_alter_table("artifacts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_artifacts_sha256"))

    op.drop_table("artifacts")
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.drop_index("ix_tickets_watch", postgresql_where=sa.text("watch_at IS NOT NULL"))
        batch_op.drop_index("ix_tickets_state_created")
        batch_op.drop_index(
            "ix_tickets_search_text", postgresql_using="gin", postgresql_ops={"search_text": "gin_trgm_ops"}
        )
        batch_op.drop_index(batch_op.f("ix_tickets_product_id"))
        batch_op.drop_index("ix_tickets_organisation_number")
        batch_op.drop_index("ix_tickets_organisation_created")
        batch_op.drop_index("ix_tickets_due", postgresql_where=sa.text("due_at IS NOT NULL"))
        batch_op.drop_index("ix_tickets_created")
        batch_op.drop_index("ix_tickets_assigned", postgresql_where=sa.text("assigned_to IS NOT NULL"))

    op.drop_table("tickets")
    with op.batch_alter_table("releases", schema=None) as batch_op:
        batch_op.drop_index("ix_releases_state_published_at")
        batch_op.drop_index("ix_releases_product_state_published_at")
        batch_op.drop_index("ix_releases_by_product")

    op.drop_table("releases")
    with op.batch_alter_table("powers_of_attorney", schema=None) as batch_op:
        batch_op.drop_index("ix_powers_of_attorney_holder")

    op.drop_table("powers_of_attorney")
    op.drop_table("issue_texts")
    with op.batch_alter_table("issue_cves", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_issue_cves_cve_id"))

    op.drop_table("issue_cves")
    with op.batch_alter_table("device_changes", schema=None) as batch_op:
        batch_op.drop_index("ix_device_changes_device_at")

    op.drop_table("device_changes")
    with op.batch_alter_table("device_backups", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_device_backups_key"))
        batch_op.drop_index("ix_device_backups_device_stored")

    op.drop_table("device_backups")
    with op.batch_alter_table("agreement_acceptances", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_agreement_acceptances_person_id"))
        batch_op.drop_index(batch_op.f("ix_agreement_acceptances_authorized_person_id"))

    op.drop_table("agreement_acceptances")
    with op.batch_alter_table("acts", schema=None) as batch_op:
        batch_op.drop_index("ix_acts_state_opened")
        batch_op.drop_index(batch_op.f("ix_acts_recipient_id"))
        batch_op.drop_index("ix_acts_organisation_opened")

    op.drop_table("acts")
    op.drop_table("trains")
    with op.batch_alter_table("shift_notes", schema=None) as batch_op:
        batch_op.drop_index("ix_shift_notes_read_at")

    op.drop_table("shift_notes")
    op.drop_table("product_agreements")
    op.drop_table("person_roles")
    with op.batch_alter_table("one_time_links", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_one_time_links_person_id"))

    op.drop_table("one_time_links")
    with op.batch_alter_table("issues", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_issues_product_id"))

    op.drop_table("issues")
    with op.batch_alter_table("export_rules", schema=None) as batch_op:
        batch_op.drop_index("ix_export_rules_product")

    op.drop_table("export_rules")
    with op.batch_alter_table("duty_shifts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_duty_shifts_person_id"))
        batch_op.drop_index("ix_duty_shifts_ends_starts")

    op.drop_table("duty_shifts")
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_devices_product_serial",
            sqlite_where=sa.text("removed_at IS NULL"),
            postgresql_where=sa.text("removed_at IS NULL"),
        )
        batch_op.drop_index("ix_devices_site")
        batch_op.drop_index("ix_devices_organisation_product")

    op.drop_table("devices")
    with op.batch_alter_table("contract_lines", schema=None) as batch_op:
        batch_op.drop_index("ix_contract_lines_contract_product")
        batch_op.drop_index("ix_contract_lines_contract_family")

    op.drop_table("contract_lines")
    with op.batch_alter_table("contacts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contacts_organisation_id"))
        batch_op.drop_index("ix_contacts_email")

    op.drop_table("contacts")
    op.drop_table("calendar_feeds")
    op.drop_table("authorized_persons")
    with op.batch_alter_table("api_tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_tokens_person_id"))

    op.drop_table("api_tokens")
    with op.batch_alter_table("statements", schema=None) as batch_op:
        batch_op.drop_index("ix_statements_month")

    op.drop_table("statements")
    op.drop_table("sites")
    with op.batch_alter_table("products", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_products_family_id"))

    op.drop_table("products")
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_people_organisation_id"))

    op.drop_table("people")
    with op.batch_alter_table("media", schema=None) as batch_op:
        batch_op.drop_index("ix_media_state")
        batch_op.drop_index(batch_op.f("ix_media_organisation_id"))

    op.drop_table("media")
    op.drop_table("delivery_policies")
    with op.batch_alter_table("delivery_addresses", schema=None) as batch_op:
        batch_op.drop_index("ix_delivery_addresses_organisation")

    op.drop_table("delivery_addresses")
    with op.batch_alter_table("customer_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_customer_keys_organisation_id"))

    op.drop_table("customer_keys")
    with op.batch_alter_table("contracts", schema=None) as batch_op:
        batch_op.drop_index("ix_contracts_organisation_ends_starts")

    op.drop_table("contracts")
    op.drop_table("agreement_versions")
    op.drop_table("ticket_counter")
    with op.batch_alter_table("sign_in_attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_attempts_email"))
        batch_op.drop_index(batch_op.f("ix_sign_in_attempts_at"))
        batch_op.drop_index(batch_op.f("ix_sign_in_attempts_address"))

    op.drop_table("sign_in_attempts")
    op.drop_table("service_programmes")
    op.drop_table("product_families")
    op.drop_table("outgoing_texts")
    op.drop_table("outgoing_mail")
    op.drop_table("organisations")
    op.drop_table("one_time_codes")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index("ix_jobs_state_run_at")

    op.drop_table("jobs")
    op.drop_table("desk_version")
    op.drop_table("counters")
    op.drop_table("carriers")
    op.drop_table("audit_head")
    with op.batch_alter_table("audit_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_events_tag"))
        batch_op.drop_index(batch_op.f("ix_audit_events_subject_id"))
        batch_op.drop_index(batch_op.f("ix_audit_events_person_id"))
        batch_op.drop_index(batch_op.f("ix_audit_events_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_audit_events_at"))

    op.drop_table("audit_events")
    op.drop_table("agreements")
    if op.get_bind().dialect.name != "sqlite":
        op.execute("DROP FUNCTION audit_events_only_grow()")
