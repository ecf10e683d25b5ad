"""One remote session as a page, of an update or of a ticket."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import make_response, render_template
from flask.typing import ResponseReturnValue

from portal.updates.blueprint import WORDS
from portal.updates.forms import FileForm, FinishForm, SessionNoteForm
from portal.updates.models import AccessSecret, RemoteSession
from portal.web.fields import UNPROCESSABLE
from portal.web.formats import now
from portal.web.forms import Form
from portal.web.guard import actor


@dataclass(frozen=True)
class Place:
    """What a session belongs to: the way there as (label, address), and where its forms are sent to."""

    trail: Sequence[tuple[str, str]]
    note: str
    file: str
    finish: str
    end_access: str


def session_page(
    remote: RemoteSession, place: Place, *, is_worker: bool, sent: Form | None = None,
    shown: tuple[str, str] | None = None, secrets: Sequence[tuple[AccessSecret, str]] | None = None,
) -> ResponseReturnValue:  # fmt: skip
    """`shown` is (what it is, the text), on this one answer only; `secrets` what could be shown, each with its address.

    `sent` is a form that came back with something wrong.
    """
    forms: dict[str, Form] = {"note": SessionNoteForm(), "file": FileForm(), "finish": FinishForm()}
    forms |= {name: sent for name, form in forms.items() if sent is not None and type(form) is type(sent)}
    page = render_template(
        "updates/session.html",
        remote=remote,
        place=place,
        shown=shown,
        secrets=secrets,
        forms=forms,
        is_mine=is_worker and remote.engineer_id == actor().person_id,
        is_running=remote.is_running(now()),
        **WORDS,
    )
    answer = make_response(page, UNPROCESSABLE if sent is not None and sent.errors else 200)
    answer.headers["Cache-Control"] = "no-store"
    return answer
