"""The release keys, for anybody: what they sign is verified with these and nothing else of ours (DESIGN 4)."""

from flask import Response, make_response, render_template
from flask.typing import ResponseReturnValue

from portal.errors import NotFound
from portal.releases.blueprint import bp
from portal.web.guard import public
from portal.web.unit_of_work import resources


@bp.get("/keys")
@public
def keys() -> ResponseReturnValue:
    records = resources().keys.records()
    return render_template("releases/keys.html", records=records, held_by_portal=held_by_portal(None))


@bp.get("/keys/<key_id>.pem")
@public
def key_file(key_id: str) -> Response:
    """The public key as `openssl dgst -verify` reads it."""
    record = resources().keys.ring().find(key_id)
    if record is None:
        raise NotFound
    response = make_response(record.public.pem)
    response.mimetype = "application/x-pem-file"
    response.headers["Content-Disposition"] = f'attachment; filename="{record.key_id}.pem"'
    return response


def held_by_portal(key_id: str | None) -> bool:
    """Whether the key (the active one, unless named) lies in a file beside the portal, which pages then say."""
    records = resources().keys.records()
    record = next((one for one in records if key_id in (None, one.key_id)), None)
    return record is not None and (record.address or "").startswith("file:")
