"""The record as CSV, a row at a time, safe to open in a spreadsheet."""

import csv
import io
import json
from collections.abc import Iterator

from sqlalchemy import Select

from portal.audit.models import AuditEvent
from portal.db import Sessions, reading
from portal.web.spreadsheets import neutral

COLUMNS = (
    "sequence", "at", "tag", "via", "person", "person_id", "organisation_id", "address", "subject_kind", "subject_id",
    "subject", "facts", "previous_hash", "hash",
)  # fmt: skip
ROWS_AT_ONCE = 500


def csv_of(sessions: Sessions, rows: Select[AuditEvent]) -> Iterator[bytes]:
    """UTF-8 with a byte order mark (spreadsheets ask for it), lines as RFC 4180 has them.

    Reads in a session of its own: the answer's bytes are sent after the request's has ended.
    """
    yield b"\xef\xbb\xbf" + _line(COLUMNS)
    with sessions() as session:
        reading(session)
        for row in session.scalars(rows.execution_options(yield_per=ROWS_AT_ONCE)):
            yield _line(_cells(row))


def _cells(row: AuditEvent) -> tuple[str, ...]:
    facts = json.dumps(row.facts, ensure_ascii=False, sort_keys=True)
    return (
        str(row.sequence), row.at.isoformat(), row.tag, row.via.value, row.person_name, str(row.person_id or ""),
        str(row.organisation_id or ""), row.address, row.subject_kind, row.subject_id, row.subject_name, facts,
        row.previous_hash, row.hash,
    )  # fmt: skip


def _line(cells: tuple[str, ...]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerow([neutral(cell) for cell in cells])
    return buffer.getvalue().encode()
