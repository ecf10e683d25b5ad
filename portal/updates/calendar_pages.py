"""The calendar of planned work: a page, and a feed under an address of the person's own."""

from itertools import groupby
from zoneinfo import ZoneInfo

from flask import Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.mail.words import translator
from portal.permissions import Permission
from portal.updates import calendars, queries
from portal.updates.blueprint import WORDS, bp
from portal.web.formats import now
from portal.web.guard import actor, public, requires
from portal.web.locale import chosen_time_zone
from portal.web.unit_of_work import resources, session


def _page(address: str = "") -> str:
    zone = ZoneInfo(chosen_time_zone())
    planned = session().scalars(queries.planned(now(), visible_to=actor())).all()
    days = [
        (day, list(some))
        for day, some in groupby(planned, key=lambda one: (one.begins_at or now()).astimezone(zone).date())
    ]
    person_id = actor().person_id
    has_feed = person_id is not None and queries.feed_of(session(), person_id) is not None
    return render_template("updates/calendar.html", days=days, has_feed=has_feed, address=address, **WORDS)


@bp.get("/updates/calendar")
@requires(Permission.UPDATES_READ)
def calendar() -> ResponseReturnValue:
    return _page()


@bp.post("/updates/calendar")
@requires(Permission.UPDATES_READ)
def new_feed() -> ResponseReturnValue:
    """Answers with the address itself, once: only a digest of it is kept."""
    secret = calendars.new_feed(session(), by=actor(), at=now())
    session().flush()  # the page says that there is one
    answer = Response(_page(f"{resources().config.base_url}{url_for('.feed', secret=secret)}"))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/updates/calendar/revoke")
@requires(Permission.UPDATES_READ)
def revoke_feed() -> ResponseReturnValue:
    calendars.revoke_feed(session(), by=actor(), at=now())
    flash(_("The address of the calendar no longer opens."))
    return redirect(url_for(".calendar"), 303)


@bp.get("/calendar/<secret>.ics")
@public
def feed(secret: str) -> ResponseReturnValue:
    """For calendar programs, which can't sign in: the address is the secret (RFC 5545)."""
    reader = calendars.reader_of(session(), secret)
    planned = session().scalars(queries.planned(now() - calendars.KEPT, visible_to=reader)).all()
    base = resources().config.base_url
    made = calendars.calendar(
        planned, translator(reader.language),
        address=lambda update: f"{base}{url_for('.show', update_id=update.id)}", at=now(),
    )  # fmt: skip
    return Response(made, content_type="text/calendar; charset=utf-8", headers={"Cache-Control": "private, no-store"})
