"""The verbs: who may, what they refuse, what they record, and several at once."""

import threading
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from portal.accounts.errors import BadEmail, BadLanguage, BadName
from portal.actors import NOBODY
from portal.audit.models import AuditEvent
from portal.authority import queries, service
from portal.authority.errors import (
    AskedAlready,
    BadPhone,
    DatesReversed,
    IssuedLater,
    NoProduct,
    NotACustomer,
    NotAScan,
    NothingGiven,
    NotYourCustomer,
    PowerNotOpen,
    PowerOver,
    RecipientEmailTaken,
    SecondPersonNeeded,
)
from portal.authority.models import AuthorizedPerson, PowerOfAttorney, PowerState
from portal.authority.rules import Held, Lack, Need, Standing, authority, glance
from portal.authority.terms import NewPower, RecipientFacts, Scan, kind_of_scan, parse_phone
from portal.days import NotADay
from portal.errors import InvalidInput, NotFound, PortalError
from portal.mail.models import OutgoingMail
from portal.permissions import OrganisationKind, Role
from tests.factories import make_organisation, make_person, make_product
from tests.portals import START
from tests.worlds import actor_for

IRINA = RecipientFacts("Ирина Мост", "Irina@Bridge.example", "+7 (916) 123-12-34", "ru")
YEAR = NewPower("17/1", date(2026, 1, 12), "The director", date(2026, 3, 1), date(2026, 12, 31))
DAY = timedelta(days=1)


class Cast:
    """Two customers and those who act, each with their actor."""

    def __init__(self, session) -> None:
        self.customer, self.other = (make_organisation(session, time_zone="Europe/Moscow") for _ in range(2))
        self.tsc = make_organisation(session, OrganisationKind.SUPPORT)
        self.people = {
            "manager": (self.customer, Role.CUSTOMER_MANAGER),
            "engineer": (self.customer, Role.CUSTOMER_ENGINEER),
            "stranger": (self.other, Role.CUSTOMER_MANAGER),
            "dispatcher": (self.tsc, Role.DISPATCHER),
            "second": (self.tsc, Role.DISPATCHER),
            "support": (self.tsc, Role.TSC_ENGINEER),
        }
        for who, (organisation, role) in self.people.items():
            setattr(self, who, actor_for(make_person(session, organisation, role), organisation))
        self.product, self.another = make_product(session), make_product(session)
        session.flush()


def named(session, cast, facts=IRINA) -> AuthorizedPerson:
    return service.name_person(session, cast.customer, facts, by=cast.manager, at=START)


def given_power(session, cast, new=YEAR, *, by=None, at=START) -> PowerOfAttorney:
    holder = session.scalars(select(AuthorizedPerson)).first() or named(session, cast)
    holder = queries.get(session, holder.id, visible_to=cast.manager)
    return service.give_power(session, holder, new, by=by or cast.manager, at=at)


def confirmed(session, cast, new=YEAR) -> PowerOfAttorney:
    power = given_power(session, cast, new)
    service.confirm(session, power, checked="The scan", second_person=True, by=cast.dispatcher, at=START)
    return power


def code_now(session, cast, power, at=START, product=None):
    facts = queries.facts_of(session, power.holder_id)
    answer = authority(facts, (product or cast.product).id, Need.RECEIVE, at)
    return None if isinstance(answer, Held) else answer.code


def test_from_naming_to_revocation(sessions):
    with sessions.begin() as session:
        cast = Cast(session)
        power = given_power(session, cast)
        assert (power.holder.name, power.holder.email, power.holder.phone) == (
            "Ирина Мост", "irina@bridge.example", "+79161231234")  # fmt: skip
        assert code_now(session, cast, power) is Lack.UNCONFIRMED
        service.confirm(session, power, checked="Called back", second_person=True, by=cast.dispatcher, at=START)
        assert code_now(session, cast, power) is None
        assert code_now(session, cast, power, at=power.ends_at) is Lack.EXPIRED
        service.revoke(session, power, reason="She has left.", by=cast.manager, at=START)
        assert code_now(session, cast, power) is Lack.MISSING
        with pytest.raises(PowerNotOpen):
            service.revoke(session, power, reason="Again", by=cast.manager, at=START)
        with pytest.raises(PowerNotOpen):
            service.confirm(session, power, checked="x", second_person=True, by=cast.dispatcher, at=START)
    with sessions() as session:
        tags = [row.tag for row in session.scalars(select(AuditEvent).order_by(AuditEvent.sequence))]
        assert tags[-4:] == ["authority.name", "power.give", "power.confirm", "power.revoke"]


def test_declined_is_over(sessions):
    with sessions.begin() as session:
        cast = Cast(session)
        power = given_power(session, cast)
        service.decline(session, power, reason="Another's signature", by=cast.dispatcher, at=START)
        assert (power.state, power.declined_because) == (PowerState.DECLINED, "Another's signature")
        assert code_now(session, cast, power) is Lack.MISSING
        with pytest.raises(PowerNotOpen):
            service.confirm(session, power, checked="x", second_person=True, by=cast.dispatcher, at=START)


@pytest.mark.parametrize("who", ["engineer", "stranger", "support", "nobody"])
def test_who_may_not(sessions, who):
    with sessions() as session:
        cast = Cast(session)
        by = NOBODY if who == "nobody" else getattr(cast, who)
        power = given_power(session, cast)
        verbs = [
            lambda: service.name_person(session, cast.customer, IRINA, by=by, at=START),
            lambda: service.change_person(session, power.holder, IRINA, by=by, at=START),
            lambda: service.give_power(session, power.holder, YEAR, by=by, at=START),
            lambda: service.attach_scan(session, power, Scan("k", "n", 1, "0" * 64, "image/png"), by=by, at=START),
            lambda: service.confirm(session, power, checked="x", second_person=False, by=by, at=START),
            lambda: service.decline(session, power, reason="x", by=by, at=START),
            lambda: service.revoke(session, power, reason="x", by=by, at=START),
            lambda: service.ask_again(session, power, by=by, at=START + DAY),
        ]
        for verb in verbs:
            with pytest.raises(NotYourCustomer):
                verb()
        assert power.state is PowerState.UNCONFIRMED


def test_a_manager_never_confirms_nor_whoever_entered_it(sessions):
    with sessions() as session:
        cast = Cast(session)
        power = given_power(session, cast, by=cast.dispatcher)
        for by, refused in ((cast.manager, NotYourCustomer), (cast.dispatcher, SecondPersonNeeded)):
            with pytest.raises(refused):
                service.confirm(session, power, checked="x", second_person=True, by=by, at=START)
        service.confirm(session, power, checked="x", second_person=True, by=cast.second, at=START)
        assert power.state is PowerState.CONFIRMED
        another = given_power(session, cast, replace(YEAR, number="17/2"), by=cast.dispatcher)
        service.confirm(session, another, checked="x", second_person=False, by=cast.dispatcher, at=START)
        assert another.state is PowerState.CONFIRMED


def test_another_customer_finds_nothing(sessions):
    with sessions() as session:
        cast = Cast(session)
        power = confirmed(session, cast)
        for find in (queries.power, queries.get):
            with pytest.raises(NotFound):
                find(session, power.id if find is queries.power else power.holder_id, visible_to=cast.stranger)
        assert session.scalars(queries.people(visible_to=cast.stranger)).all() == []
        assert session.scalars(queries.people(visible_to=NOBODY)).all() == []
        assert len(session.scalars(queries.people(visible_to=cast.support)).all()) == 1
        assert queries.able_to_receive(session, cast.other.id, cast.product.id, START) == []


def test_namesakes_are_two_and_one_address_is_one(sessions):
    with sessions() as session:
        cast = Cast(session)
        named(session, cast)
        twin = named(session, cast, replace(IRINA, email="other@bridge.example"))
        with pytest.raises(RecipientEmailTaken):
            named(session, cast, replace(IRINA, name="Somebody", email="IRINA@bridge.EXAMPLE"))
        with pytest.raises(RecipientEmailTaken):
            service.change_person(session, twin, IRINA, by=cast.manager, at=START)
        elsewhere = service.name_person(session, cast.other, IRINA, by=cast.stranger, at=START)
        assert elsewhere.email == "irina@bridge.example"
        with pytest.raises(NotACustomer):
            service.name_person(session, cast.tsc, IRINA, by=cast.dispatcher, at=START)


def test_a_sign_in_of_the_same_company_is_known_and_of_another_is_not(sessions):
    with sessions() as session:
        cast = Cast(session)
        own = make_person(session, cast.customer, Role.CUSTOMER_ENGINEER)
        theirs = make_person(session, cast.other, Role.CUSTOMER_ENGINEER)
        assert named(session, cast, replace(IRINA, email=own.email)).person_id == own.id
        assert named(session, cast, replace(IRINA, email=theirs.email)).person_id is None


BAD_PEOPLE = [
    ({"name": ""}, BadName), ({"name": "x" * 300}, BadName), ({"name": "Ann\0"}, BadName),
    ({"name": "Ann\u202eBoris"}, BadName), ({"email": "nobody"}, BadEmail),
    ({"email": "a@b.example\r\nBcc: c@d.example"}, BadEmail), ({"email": "a\0@b.example"}, BadEmail),
    ({"email": f"{'x' * 300}@b.example"}, BadEmail), ({"phone": "8 916 123-12-34"}, BadPhone),
    ({"phone": "+7 916"}, BadPhone), ({"phone": "+7916123123\0"}, BadPhone), ({"phone": "+7٩161231234"}, BadPhone),
    ({"phone": "+" + "1" * 400}, BadPhone), ({"language": "tlh"}, BadLanguage),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "refused"), BAD_PEOPLE)
def test_people_that_nobody_could_mean(sessions, facts, refused):
    with sessions() as session, pytest.raises(refused):
        named(session, Cast(session), replace(IRINA, **facts))


def test_a_line_break_in_a_name_becomes_a_space(sessions):
    with sessions() as session:
        assert named(session, Cast(session), replace(IRINA, name="Ann\r\nBcc: x")).name == "Ann Bcc: x"


BAD_POWERS = [
    ({"valid_from": date(2026, 5, 2), "valid_until": date(2026, 5, 1)}, DatesReversed),
    ({"valid_from": date(2026, 1, 12), "valid_until": date(2026, 3, 9)}, PowerOver),
    ({"issued_on": date(2026, 3, 11)}, IssuedLater), ({"issued_on": date(1889, 1, 1)}, NotADay),
    ({"valid_until": date(9999, 12, 31)}, NotADay), ({"number": ""}, InvalidInput), ({"number": "1\0"}, InvalidInput),
    ({"number": "x" * 300}, InvalidInput), ({"issued_by": "x" * 300}, InvalidInput),
    ({"product_ids": frozenset()}, NoProduct),
    ({"may_receive": False}, NothingGiven),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "refused"), BAD_POWERS)
def test_powers_that_give_nothing(sessions, facts, refused):
    with sessions() as session, pytest.raises(refused):
        given_power(session, Cast(session), replace(YEAR, **facts))


def test_a_product_that_does_not_exist(sessions):
    with sessions() as session:
        cast = Cast(session)
        with pytest.raises(NoProduct):
            given_power(session, cast, replace(YEAR, product_ids=frozenset({cast.product.id, cast.customer.id})))


def test_today_is_the_customer_s_day(sessions):
    """At 22:00 UTC it is the 11th in Moscow: a power that ended on the 10th is over there."""
    with sessions() as session:
        cast = Cast(session)
        late = START.replace(hour=22)
        with pytest.raises(PowerOver):
            given_power(session, cast, replace(YEAR, valid_until=date(2026, 3, 10)), at=late)
        power = given_power(session, cast, replace(YEAR, valid_until=date(2026, 3, 10)))
        assert power.ends_at.isoformat() == "2026-03-10T21:00:00+00:00"


def test_sent_twice_is_one_and_another_scope_is_another(sessions):
    with sessions() as session:
        cast = Cast(session)
        narrow = replace(YEAR, product_ids=frozenset({cast.product.id}))
        first = given_power(session, cast)
        assert given_power(session, cast).id == first.id
        assert given_power(session, cast, narrow).id != first.id
        assert code_now(session, cast, first, product=cast.another) is Lack.UNCONFIRMED


def test_another_name_or_address_waits_to_be_confirmed_anew(sessions):
    with sessions() as session:
        cast = Cast(session)
        power = confirmed(session, cast)
        change = lambda by, **facts: service.change_person(  # noqa: E731
            session, power.holder, replace(IRINA, **facts), by=by, at=START
        )
        assert change(cast.manager) == []
        assert change(cast.manager, language="en") == []
        assert power.state is PowerState.CONFIRMED
        assert change(cast.second, email="thief@bridge.example") == [power]
        assert code_now(session, cast, power) is Lack.UNCONFIRMED
        with pytest.raises(SecondPersonNeeded):
            service.confirm(session, power, checked="x", second_person=True, by=cast.second, at=START)


def test_whoever_says_where_the_codes_go_does_not_confirm_the_power(sessions):
    with sessions() as session:
        cast = Cast(session)
        power = given_power(session, cast)
        thief = replace(IRINA, email="thief@bridge.example")
        service.change_person(session, power.holder, thief, by=cast.dispatcher, at=START)
        later = given_power(session, cast, replace(YEAR, number="17/2"))
        for one in (power, later):
            with pytest.raises(SecondPersonNeeded):
                service.confirm(session, one, checked="x", second_person=True, by=cast.dispatcher, at=START)
        service.confirm(session, power, checked="x", second_person=True, by=cast.second, at=START)


def test_a_scan_is_what_was_checked_and_stays(sessions):
    with sessions() as session:
        cast = Cast(session)
        power = given_power(session, cast)
        scan = Scan("sha256/00", "доверенность\r\n\0.pdf", 7, "0" * 64, "application/pdf")
        service.attach_scan(session, power, scan, by=cast.manager, at=START)
        assert power.scan["name"] == "доверенность .pdf"
        service.confirm(session, power, checked="The scan", second_person=True, by=cast.dispatcher, at=START)
        with pytest.raises(PowerNotOpen):
            service.attach_scan(session, power, scan, by=cast.manager, at=START)


@pytest.mark.parametrize("head", [b"", b"<html>", b"<svg", b" %PDF-", b"%PD", b"GIF89a", b"\x89PNG\n"])
def test_what_is_no_scan(head):
    with pytest.raises(NotAScan):
        kind_of_scan(head)


@given(st.text(max_size=60))
def test_a_telephone_number_is_one_or_is_refused(text):
    try:
        phone = parse_phone(text)
    except PortalError:
        return
    assert phone == "" or (phone.startswith("+") and phone[1:].isascii() and phone[1:].isdigit() and len(phone) <= 16)


def test_two_dispatchers_decide_at_once_and_one_wins(sessions):
    with sessions.begin() as session:
        cast = Cast(session)
        power_id = given_power(session, cast).id
    start, outcomes = threading.Barrier(2), []

    def decide(by, verb):
        start.wait()
        try:
            with sessions.begin() as session:
                verb(session, queries.power(session, power_id, visible_to=by), by)
            outcomes.append("done")
        except PowerNotOpen:
            outcomes.append("late")

    confirming = lambda s, p, by: service.confirm(s, p, checked="x", second_person=True, by=by, at=START)  # noqa: E731
    declining = lambda s, p, by: service.decline(s, p, reason="x", by=by, at=START)  # noqa: E731
    both = [threading.Thread(target=decide, args=pair)
            for pair in ((cast.dispatcher, confirming), (cast.second, declining))]  # fmt: skip
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(outcomes) == ["done", "late"]


def test_who_may_receive_comes_first_and_each_with_the_reason(sessions):
    with sessions() as session:
        cast = Cast(session)
        named(session, cast, replace(IRINA, name="Anna", email="anna@bridge.example"))
        session.flush()
        zoe = named(session, cast, replace(IRINA, name="Zoe", email="zoe@bridge.example"))
        power = service.give_power(session, zoe, YEAR, by=cast.manager, at=START)
        service.confirm(session, power, checked="x", second_person=True, by=cast.dispatcher, at=START)
        found = queries.able_to_receive(session, cast.customer.id, cast.product.id, START)
        assert [(one.person.name, one.is_able) for one in found] == [("Zoe", True), ("Anna", False)]
        assert found[1].answer.code is Lack.MISSING
        signing = queries.able_to_receive(session, cast.customer.id, cast.product.id, START, need=Need.SIGN)
        assert {one.person.name: one.answer.code for one in signing} == {
            "Anna": Lack.MISSING, "Zoe": Lack.OUT_OF_SCOPE}  # fmt: skip


def test_at_a_glance(sessions):
    with sessions() as session:
        cast = Cast(session)
        see = lambda at: glance(queries.facts_of(session, power.holder_id), at)  # noqa: E731
        power = confirmed(session, cast)
        assert see(START).standing is Standing.IN_FORCE
        nine = see(power.ends_at - 10 * DAY)
        assert (nine.standing, nine.days_left(power.ends_at - 10 * DAY)) == (Standing.ENDS_SOON, 9)
        assert see(power.ends_at - timedelta(seconds=1)).days_left(power.ends_at - timedelta(seconds=1)) == 0
        assert see(power.ends_at).standing is Standing.ENDED
        assert see(power.starts_at - DAY).standing is Standing.COMING
        following = replace(YEAR, number="18/1", valid_from=date(2027, 1, 1), valid_until=date(2027, 12, 31))
        confirmed(session, cast, following)
        assert see(power.ends_at - 9 * DAY).standing is Standing.IN_FORCE
        service.revoke(session, power, reason="x", by=cast.manager, at=START)
        assert see(START).standing is Standing.COMING


def letters(portal):
    portal.work()
    with portal.sessions() as session:
        rows = session.scalars(select(OutgoingMail).order_by(OutgoingMail.created_at, OutgoingMail.recipient))
        return [(row.recipient.partition("@")[0], row.subject) for row in rows]


def test_letters_once_each_to_those_who_have_to_act(portal):
    with portal.sessions.begin() as session:
        cast = Cast(session)
        power = given_power(session, cast)
        power_id = power.id
    waits = letters(portal)
    assert len(waits) == 2
    assert all("Ирина Мост" in subject for _who, subject in waits)
    with portal.sessions.begin() as session:
        power = queries.power(session, power_id, visible_to=cast.manager)
        with pytest.raises(AskedAlready):
            service.ask_again(session, power, by=cast.manager, at=START + timedelta(hours=23))
    portal.clock.advance(days=1)
    with portal.sessions.begin() as session:
        power = queries.power(session, power_id, visible_to=cast.manager)
        service.ask_again(session, power, by=cast.manager, at=portal.clock())
    assert len(letters(portal)) == 4
    with portal.sessions.begin() as session:
        power = queries.power(session, power_id, visible_to=cast.dispatcher)
        service.confirm(session, power, checked="x", second_person=True, by=cast.dispatcher, at=portal.clock())
        ends_at = power.ends_at
    assert sum("confirmed" in subject for _who, subject in letters(portal)) == 1
    for days, count in ((31, 5), (30, 6), (29, 6), (8, 6), (7, 7), (1, 7), (-1, 7)):
        portal.clock.at = ends_at - days * DAY
        found = letters(portal)
        assert len(found) == count, days
    assert "ends on 2026-12-31" in found[-1][1]


def test_no_letter_about_an_end_that_another_power_outlasts(portal):
    with portal.sessions.begin() as session:
        cast = Cast(session)
        power = confirmed(session, cast)
        confirmed(
            session, cast, replace(YEAR, number="18/1", valid_from=date(2027, 1, 1), valid_until=date(2027, 6, 1))
        )
        portal.clock.at = power.ends_at - 7 * DAY
    assert not any("ends on" in subject for _who, subject in letters(portal))
