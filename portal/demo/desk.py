"""The service desk on the day of the demonstration: who is on duty, what waits for an answer, which work is planned."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation, Person
from portal.actors import Actor
from portal.inventory.models import Device
from portal.jobs import service as jobs
from portal.releases.models import Product, Release
from portal.releases.queries import get, get_issue, get_product
from portal.tickets import contacts, intake, rota
from portal.tickets import service as tickets
from portal.tickets.contacts import ContactFacts
from portal.tickets.models import Degree, Step, TicketChannel, TicketKind, TicketSeverity
from portal.tickets.queries import get as find_ticket
from portal.tickets.rota import ShiftFacts
from portal.tickets.rota_models import DutyRole
from portal.tickets.service import Call, TicketFacts
from portal.updates import planning
from portal.updates.planning import NewUpdate
from portal.updates.states import Way
from portal.updates.windows import Window

SHIFT = timedelta(hours=12)
CONTACTS = (
    ("VOLGA", ContactFacts("Иван Волгин", "+7 846 200-10-01", "engineer@volga.example", "Инженер узла 1", "ru")),
    ("VOLGA", ContactFacts("Дежурный смены", "+7 846 200-10-99", "", "Центр управления сетью", "ru",
                           is_night_contact=True)),
    ("FJORD", ContactFacts("Frida Fjord", "+47 55 20 10 00", "engineer@fjord.example", "Network engineer", "en",
                           is_night_contact=True)),
)  # fmt: skip


@dataclass(frozen=True)
class Desk:
    """The invented people by e-mail, customers by code; `ago` gives an instant by days before now."""

    people: dict[str, Actor]
    customers: dict[str, Organisation]
    ago: Callable[[float], datetime]

    @property
    def engineer(self) -> Actor:
        return self.people["engineer@tsc.example"]


def report_incident(session: Session, desk: Desk) -> None:
    """What was reported fifty days ago, and answered in time; before anything is issued about that month."""
    customer, engineer = desk.people["engineer@volga.example"], desk.engineer
    facts = TicketFacts(
        organisation=desk.customers["VOLGA"],
        kind=TicketKind.INCIDENT,
        severity=TicketSeverity.MAJOR,
        channel=TicketChannel.WEB,
        title="Коммутатор перезапускает управление раз в час",
        body="Узел 1, версия `15.1R7`. После подключения соседа по LLDP процесс управления перезапускается.",
        product=get_product(session, "es2400", visible_to=engineer),
        installed_version="15.1R7",
    )
    opened = desk.ago(50)
    ticket = tickets.open_ticket(session, facts, by=customer, at=opened)
    text = "Проблема известна: **ES-1042**. Пока отключите LLDP на внешнем порту."
    tickets.answer(session, ticket, text, by=engineer, at=opened + timedelta(minutes=11))


def await_fix(session: Session, desk: Desk) -> None:
    """It waited for a release, which is there meanwhile."""
    engineer, opened = desk.engineer, desk.ago(50)
    ticket = find_ticket(session, "T-000001", visible_to=engineer)
    issue = get_issue(session, "ES-1042", visible_to=engineer)
    tickets.link_issue(session, ticket, issue, by=engineer, at=opened + timedelta(minutes=12))
    tickets.change_state(session, ticket, Step.WAIT_FOR_RELEASE, by=engineer, at=opened + timedelta(minutes=13))
    jobs.enqueue(session, "tickets.fixes", at=desk.ago(0), key="demo:tickets.fixes")  # at once, not in ten minutes


def open_desk(session: Session, desk: Desk) -> None:
    """Contacts and duty, then a call that waits for its answer, and an answered incident."""
    for code, facts in CONTACTS:
        contacts.save(session, desk.customers[code], None, facts, by=desk.engineer, at=desk.ago(200))
    session.flush()
    _duty(session, desk)
    text = "FV-00412 после обслуживания показывает аварии со сдвигом в час: ждём рекомендации до вечера."
    rota.leave_note(session, text, by=desk.people["dispatcher@tsc.example"], at=desk.ago(0.3))
    _call(session, desk)
    _incident(session, desk)


def plan_update(session: Session, desk: Desk) -> None:
    """The customer wants its management system updated by the support centre, the night after tomorrow."""
    customer, by = desk.people["engineer@volga.example"], desk.engineer
    device = session.scalars(select(Device).where(Device.serial == "FV-00412")).one()
    chosen = select(Release.id).join(Product).where(Product.code == "flowview", Release.version == "3.4.1")
    release = get(session, session.scalars(chosen).one(), visible_to=by)
    new = NewUpdate(session.merge(desk.customers["VOLGA"]), release, (device.id,), Way.REMOTE,
                    note="Список аварий сбивается после смены часового пояса.")  # fmt: skip
    update = planning.draw_up(session, new, by=customer, at=desk.ago(1.5))
    begins = desk.ago(-2).replace(hour=22, minute=0, second=0, microsecond=0)
    window = Window(begins, begins + timedelta(hours=3), "Europe/Samara")
    planning.set_window(session, update, window, by=customer, at=desk.ago(1.4))
    planning.propose(session, update, by=customer, at=desk.ago(1.4))
    planning.consent(session, update, by=customer, at=desk.ago(1.3))
    planning.consent(session, update, by=by, at=desk.ago(1.1))


def _duty(session: Session, desk: Desk) -> None:
    """A week of shifts, day and night, from this morning."""
    dispatcher = desk.people["dispatcher@tsc.example"]
    begins = desk.ago(0).replace(hour=5, minute=0, second=0, microsecond=0) - SHIFT
    for number in range(14):
        start = begins + number * SHIFT
        facts = ShiftFacts(
            _person_id(session, "engineer@tsc.example"), DutyRole.ON_DUTY, start, start + SHIFT, "+7 495 555-01-02"
        )
        rota.add_shift(session, facts, by=dispatcher, at=desk.ago(3))
    lead = ShiftFacts(
        _person_id(session, "dispatcher@tsc.example"),
        DutyRole.SHIFT_LEAD,
        begins,
        begins + 2 * SHIFT,
        "+7 495 555-01-03",
    )
    rota.add_shift(session, lead, by=dispatcher, at=desk.ago(3))


def _person_id(session: Session, email: str) -> UUID:
    return session.scalars(select(Person.id).where(Person.email == email)).one()


def _call(session: Session, desk: Desk) -> None:
    """A telephone call of some minutes ago, not answered yet: its half hour runs."""
    facts = TicketFacts(
        organisation=desk.customers["VOLGA"],
        kind=TicketKind.INCIDENT,
        severity=TicketSeverity.MAJOR,
        channel=TicketChannel.TELEPHONE,
        title="Нет управления коммутатором ES24-10002",
        body="Коммутатор tlt-acc-01 отвечает на ping, но не принимает вход по SSH после обновления 15.1R5.",
        product=get_product(session, "es2400", visible_to=desk.engineer),
        installed_version="15.1R5",
        call=Call(caller="Дежурный смены", impact=Degree.MEDIUM, urgency=Degree.HIGH),
    )
    intake.take_call(session, facts, chosen=None, answered=False, by=desk.engineer, at=desk.ago(7 / 1440))


def _incident(session: Session, desk: Desk) -> None:
    """An incident from the web, answered in time and waiting for what the customer was asked."""
    facts = TicketFacts(
        organisation=desk.customers["FJORD"],
        kind=TicketKind.INCIDENT,
        severity=TicketSeverity.MINOR,
        channel=TicketChannel.WEB,
        title="Port counters jump after a link flap",
        body="`bgo-sw-1`, version 15.1R7. The counters of port 12 jump by 2^32 when the link comes back.",
        product=get_product(session, "es2400", visible_to=desk.engineer),
        installed_version="15.1R7",
    )
    opened = desk.ago(2)
    ticket = tickets.open_ticket(session, facts, by=desk.people["engineer@fjord.example"], at=opened)
    session.flush()
    text = "Thank you. Please attach the output of `show port 12 counters` before and after a flap."
    tickets.answer(session, ticket, text, by=desk.engineer, at=opened + timedelta(minutes=19))
