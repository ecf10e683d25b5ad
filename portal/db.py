"""Rows: the declarative base, column types, the engine, sessions.

Instants are aware UTC datetimes everywhere in the program; a naive one is refused before it reaches the database.
"""

from datetime import UTC, datetime
from enum import IntFlag, StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import DateTime, Dialect, Enum, Integer, MetaData, String, create_engine, event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.types import JSON, TypeDecorator, Uuid

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as UTC; SQLite keeps it naive, and gets it back as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs its time zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Flags(TypeDecorator[IntFlag]):
    """A set of flags as one integer, so that SQL can test membership with `&`."""

    impl = Integer
    cache_ok = True

    def __init__(self, flag_type: type[IntFlag]) -> None:
        super().__init__()
        self.flag_type = flag_type

    def process_bind_param(self, value: IntFlag | int | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> IntFlag | None:  # noqa: ARG002
        return None if value is None else self.flag_type(value)


def words(enum: type[StrEnum]) -> Enum:
    """A column of an enum's values, kept as their words; anything else is refused on the way in."""
    return Enum(
        enum, values_callable=lambda e: [m.value for m in e], native_enum=False, length=40, validate_strings=True
    )


VersionKey = String(512, collation=None).with_variant(String(512, collation="C"), "postgresql")
"""Sort keys compare byte by byte: SQLite's BINARY does so by itself, PostgreSQL with the collation "C"."""


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own name
        datetime: Instant,
        UUID: Uuid,
        dict[str, Any]: JSON,
        list[str]: JSON,
    }


class HasId:
    """A row with an identity that tells nothing about how many there are."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)


Sessions = sessionmaker[Session]


def connect(address: str, *, pool_size: int = 20) -> Engine:
    """The engine for an address such as `sqlite:////data/portal.sqlite` or `postgresql://user@host/name`."""
    url = make_url(address)
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": 30}, pool_size=pool_size, max_overflow=pool_size)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(url.set(drivername="postgresql+psycopg"), pool_size=pool_size, max_overflow=pool_size,
                         pool_pre_ping=True)  # fmt: skip


def sessions_on(engine: Engine) -> Sessions:
    return sessionmaker(engine, expire_on_commit=False)


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - sqlite3's own connection
    connection.isolation_level = None  # transactions are begun below, not behind our back
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=30000"):
        connection.execute(f"PRAGMA {pragma}")
    # SQLite's own lower() knows ASCII only; a search for «мост» must find «Мост».
    connection.create_function("lower", 1, lambda text: None if text is None else str(text).lower(), deterministic=True)


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once in WAL when another wrote between: SQLite's only
    # cure is to say beforehand that it will write. `reading()` says that it won't.
    mode = connection.get_execution_options().get("sqlite_begin", "IMMEDIATE")
    connection.exec_driver_sql(f"BEGIN {mode}")


def reading(session: Session) -> None:
    """Say at the start of a session's transaction that it only reads, so that SQLite lets others write meanwhile."""
    session.connection(execution_options={"sqlite_begin": "DEFERRED"})
