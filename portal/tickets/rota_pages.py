"""The rota: a week of shifts, who is on when, what overlaps, and when nobody is on."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms import DateTimeLocalField, SelectField, StringField, SubmitField
from wtforms.validators import InputRequired

from portal.authority.terms import PHONE_CHARS, parse_phone
from portal.days import parse_day
from portal.errors import InvalidInput
from portal.permissions import Permission
from portal.tickets import rota
from portal.tickets.rota_models import DUTY_ROLE_TITLES, DutyRole, DutyShift
from portal.web.errors import status_of
from portal.web.fields import UNPROCESSABLE, Parsed, refuse
from portal.web.formats import now
from portal.web.forms import Form, _l, choices
from portal.web.guard import actor, requires
from portal.web.locale import chosen_time_zone, translate
from portal.web.unit_of_work import session

bp = Blueprint("rota", __name__, template_folder="templates")

DAYS = 7


class ShiftForm(Form):
    """Times are the reader's own zone's."""

    person = SelectField(_l("Who"))
    role = SelectField(_l("As"))
    starts_at = DateTimeLocalField(_l("From"), [InputRequired()])
    ends_at = DateTimeLocalField(_l("Until"), [InputRequired()])
    phone = StringField(
        _l("Telephone on duty"),
        [Parsed(parse_phone)],
        description=_l("As in +79161234567: alarms come as text messages too. May be empty."),
        render_kw={"maxlength": PHONE_CHARS},
    )
    submit = SubmitField(_l("Add the shift"))

    def offer(self, people: list[tuple[str, str]]) -> None:
        self.person.choices = choices(people)
        self.role.choices = choices((role.value, translate(DUTY_ROLE_TITLES[role])) for role in DutyRole)


@dataclass(frozen=True)
class Day:
    """One day of the week in the reader's zone, with the shifts and the gaps that touch it."""

    day: date
    shifts: list[DutyShift]
    gaps: list[rota.Span]


@bp.get("/rota")
@requires(Permission.TICKETS_WORK)
def week() -> ResponseReturnValue:
    return _page(_empty_form())


@bp.post("/rota/shifts")
@requires(Permission.ROTA_MANAGE)
def add() -> ResponseReturnValue:
    form = ShiftForm()
    form.offer(_people())
    if not form.is_sent():
        return _page(form), UNPROCESSABLE
    zone = ZoneInfo(chosen_time_zone())
    starts, ends = (_instant(field, zone) for field in (form.starts_at, form.ends_at))
    facts = rota.ShiftFacts(UUID(form.person.data), DutyRole(form.role.data), starts, ends, form.phone.data or "")
    try:
        rota.add_shift(session(), facts, by=actor(), at=now())
    except InvalidInput as error:
        refuse(form.ends_at, error)
        return _page(form), status_of(error)
    flash(_("The shift is on the rota."))
    return redirect(url_for(".week", day=starts.astimezone(zone).date().isoformat()), 303)


@bp.post("/rota/shifts/<uuid:shift_id>/remove")
@requires(Permission.ROTA_MANAGE)
def remove(shift_id: UUID) -> ResponseReturnValue:
    rota.remove_shift(session(), shift_id, by=actor(), at=now())
    return redirect(url_for(".week", day=_asked_day().isoformat()), 303)


def _page(form: ShiftForm) -> str:
    zone = ZoneInfo(chosen_time_zone())
    asked = _asked_day()
    monday = asked - timedelta(days=asked.weekday())
    edges = [datetime.combine(monday + timedelta(days=n), time.min, zone) for n in range(DAYS + 1)]
    shifts = rota.shifts_between(session(), edges[0], edges[-1])
    gaps = rota.gaps(shifts, max(edges[0], now()), edges[-1]) if now() < edges[-1] else []
    days = [
        Day(
            start.date(),
            [shift for shift in shifts if shift.starts_at < end and shift.ends_at > start],
            [gap for gap in gaps if gap.start < end and gap.end > start],
        )
        for start, end in pairwise(edges)
    ]
    return render_template(
        "tickets/rota.html",
        days=days,
        gaps=gaps,
        overlapping=rota.overlapping(shifts),
        monday=monday,
        before=monday - timedelta(days=DAYS),
        after=monday + timedelta(days=DAYS),
        zone=chosen_time_zone(),
        form=form,
        roles=DUTY_ROLE_TITLES,
    )


def _empty_form() -> ShiftForm:
    form = ShiftForm(formdata=None)
    form.offer(_people())
    return form


def _people() -> list[tuple[str, str]]:
    return [(str(person.id), person.name) for person in rota.engineers(session())]


def _asked_day() -> date:
    """The day whose week is shown: the address's, or today; nonsense is today."""
    try:
        return parse_day(request.args.get("day", ""))
    except InvalidInput:
        return now().astimezone(ZoneInfo(chosen_time_zone())).date()


def _instant(field: DateTimeLocalField, zone: ZoneInfo) -> datetime:
    """What a field that has something in it says, in this zone."""
    local: datetime = field.data  # type: ignore[assignment]  # the form was good
    return local.replace(tzinfo=zone)
