"""Files of a ticket on its page and by the API: in and out as streams, to be saved and never to be shown."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Response, flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext
from werkzeug.datastructures import FileStorage

from portal.config import MIB
from portal.permissions import Permission
from portal.tickets import attachments, policy, queries
from portal.tickets.api import bp as api_bp
from portal.tickets.desk_models import TicketFile
from portal.tickets.errors import FileTooLarge, NoFile
from portal.tickets.models import Ticket
from portal.tickets.routes import bp
from portal.web.byte_ranges import Span
from portal.web.files import BLOCK_BYTES, ServedFile, send
from portal.web.formats import now
from portal.web.guard import accepts_up_to, actor, requires
from portal.web.unit_of_work import let_go, resources, session

AT_ONCE = 20
LARGEST_POST_BYTES = 128 * MIB
"""All files of one form together; a larger one comes by the API."""
SAFETY = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}


@bp.post("/tickets/<number>/files")
@requires(Permission.TICKETS_ANSWER)
@accepts_up_to(LARGEST_POST_BYTES)
def add_files(number: str) -> ResponseReturnValue:
    """Up to twenty files of a form; beyond half a megabyte they are on disk and not in memory until they are stored."""
    ticket, is_internal = _ticket(number), bool(request.form.get("internal"))
    policy.require_answer(actor())
    if is_internal:
        policy.require_work(actor())
    chosen = [one for one in request.files.getlist("file") if one.filename][:AT_ONCE]
    if not chosen:
        raise NoFile
    let_go()
    stored = [_stored(one, is_internal=is_internal) for one in chosen]
    ticket = _ticket(number)
    for file in stored:
        attachments.attach(session(), ticket, file, by=actor(), at=now())
    flash(ngettext("%(num)s file is attached.", "%(num)s files are attached.", len(stored)))
    return redirect(url_for(".show", number=str(ticket), _anchor="files"), 303)


@bp.get("/tickets/<number>/files/<uuid:file_id>")
@requires(Permission.TICKETS_READ)
def file(number: str, file_id: UUID) -> ResponseReturnValue:
    return serve(attachments.get(session(), _ticket(number), file_id, visible_to=actor()))


@api_bp.get("/<number>/files")
@requires(Permission.TICKETS_READ)
def list_files(number: str) -> ResponseReturnValue:
    """The files that the customer may have, whoever asks."""
    rows = attachments.files(session(), _ticket(number), visible_to=actor())
    return jsonify(files=[file_payload(row) for row in rows if not row.is_internal])


@api_bp.post("/<number>/files")
@requires(Permission.TICKETS_ANSWER)
def add_file(number: str) -> ResponseReturnValue:
    """The body is the file, its name stands in the query (`?name=`): 201 with its digest, 413 above the limit."""
    ticket, limit = _ticket(number), resources().config.max_attachment_bytes
    policy.require_answer(actor())
    request.max_content_length = limit + MIB  # a little more is let in, so that it is refused in words
    if (request.content_length or 0) > limit:
        raise FileTooLarge(limit=limit)
    name = request.args.get("name", "")
    let_go()
    received = attachments.receive(resources().store, request.stream, limit_bytes=limit)
    ticket = _ticket(number)
    row = attachments.attach(session(), ticket, attachments.NewFile(name, received), by=actor(), at=now())
    session().flush()  # the answer names its id
    response = jsonify(file_payload(row))
    response.status_code = 201
    response.headers["Location"] = url_for(".get_file", number=str(ticket), file_id=row.id)
    return response


@api_bp.get("/<number>/files/<uuid:file_id>")
@requires(Permission.TICKETS_READ)
def get_file(number: str, file_id: UUID) -> ResponseReturnValue:
    return serve(attachments.get(session(), _ticket(number), file_id, visible_to=actor()))


def file_payload(row: TicketFile) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "size_bytes": row.size_bytes,
        "sha256": row.sha256,
        "by": row.person_name,
        "at": row.created_at.isoformat(),
    }


def serve(row: TicketFile) -> Response:
    """The file to be saved, as bytes of no kind. The portal sends it itself: only so do its own headers stand there."""
    store, key = resources().store, row.key
    served = ServedFile(
        key=key,
        name=row.name,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        modified_at=row.created_at,
        made_by=lambda start, length: store.open_range(key, start, length, block_bytes=BLOCK_BYTES),
    )
    let_go()
    response = send(served, _unrecorded)
    response.headers.update(SAFETY)
    return response


def _unrecorded(_span: Span | None) -> Callable[[Span], None]:
    return lambda _sent: None


def _ticket(number: str) -> Ticket:
    return queries.get(session(), number, visible_to=actor())


def _stored(file: FileStorage, *, is_internal: bool) -> attachments.NewFile:
    limit = resources().config.max_attachment_bytes
    received = attachments.receive(resources().store, file.stream, limit_bytes=limit)
    return attachments.NewFile(file.filename or "", received, is_internal)
