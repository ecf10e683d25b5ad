"""Work queued in the same transaction as what it follows from."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, HasId, words


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class Job(HasId, Base):
    """`arguments` are ids and plain facts; `key` keeps a job that must exist once from being queued twice."""

    __tablename__ = "jobs"
    __table_args__ = (UniqueConstraint("key"), Index("ix_jobs_state_run_at", "state", "run_at"))

    name: Mapped[str] = mapped_column(String(80))
    key: Mapped[str | None] = mapped_column(String(200))
    arguments: Mapped[dict[str, Any]]
    state: Mapped[JobState] = mapped_column(words(JobState), default=JobState.QUEUED)
    created_at: Mapped[datetime]
    run_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)
