"""What the decision costs, how it speaks, and what several at once do to what it reads."""

import json
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from portal.accounts.queries import person_by_email
from portal.actors import NOBODY, PORTAL_COMMAND, Actor, Via
from portal.audit.models import AuditEvent
from portal.entitlements import queries, service
from portal.entitlements.decision import Basis, Granted, RefusalCode, Refused
from portal.entitlements.errors import AgreementSuperseded, LineTwice, NumberTaken, UnknownCustomer
from portal.entitlements.models import Agreement, AgreementAcceptance, Contract, ReceivedRelease
from portal.entitlements.rules import decide, decide_for, takeable
from portal.entitlements.service import Wording
from portal.entitlements.terms import LineTerms, Terms
from portal.errors import Forbidden, NotFound
from portal.permissions import OrganisationKind, Role, permissions_of
from portal.releases.models import ALL_LEVELS, Level, Release
from tests.factories import make_organisation
from tests.portals import START

TERMS = Terms("17-204", "Expert 24X7", date(2026, 1, 1), date(2026, 12, 31), "Europe/Berlin")


def engineer(shop, **facts) -> Actor:
    with shop.portal.sessions() as session:
        person = person_by_email(session, shop.engineer)
        actor = Actor(
            via=Via.SESSION, name=person.name, person_id=person.id, organisation_id=person.organisation_id,
            kind=OrganisationKind.CUSTOMER, permissions=permissions_of([Role.CUSTOMER_ENGINEER]), address="10.1.2.3",
        )  # fmt: skip
    return replace(actor, **facts)


def sign(session, shop, terms=TERMS, **line):
    given = {"product_id": shop.product.id, "family_id": None, "levels": ALL_LEVELS, **line}
    return service.create_contract(session, shop.customer, terms, [LineTerms(**given)], by=PORTAL_COMMAND, at=START)


def statements(session, act):
    seen = []
    listen = lambda *arguments: seen.append(arguments[2])  # noqa: E731
    session.connection()
    event.listen(session.get_bind(), "before_cursor_execute", listen)
    try:
        result = act()
    finally:
        event.remove(session.get_bind(), "before_cursor_execute", listen)
    return len(seen), result


def test_the_decision_is_one_statement_and_for_a_person_two(shop):
    with shop.portal.sessions.begin() as session:
        sign(session, shop)
    actor = engineer(shop)
    with shop.portal.sessions() as session:
        release = session.get_one(Release, shop.new.id)
        count, decision = statements(
            session, lambda: decide(session, organisation_id=shop.customer.id, release=release, at=START)
        )
        assert (count, decision.is_granted) == (1, True)
        count, decision = statements(session, lambda: decide_for(session, actor=actor, release=release, at=START))
        assert (count, decision.is_granted) == (2, True)


def test_it_sees_what_the_same_transaction_has_not_written_yet(shop):
    with shop.portal.sessions() as session:
        release = session.get_one(Release, shop.new.id)
        sign(session, shop)
        assert decide(session, organisation_id=shop.customer.id, release=release, at=START).is_granted


def test_it_needs_a_customer(shop):
    with shop.portal.sessions() as session, pytest.raises(NotFound):
        decide(session, organisation_id=shop.new.id, release=session.get_one(Release, shop.new.id), at=START)


def test_takeable_stands_by_itself_inside_a_query_on_releases(shop):
    with shop.portal.sessions.begin() as session:
        sign(session, shop)
        ids = takeable(shop.customer.id, START)
        inside = session.scalars(select(Release).where(Release.id.in_(ids))).all()
        assert {release.id for release in inside} == {shop.old.id, shop.new.id}
        newest = queries.newest_takeable(session, shop.customer.id, START, limit=1)
        assert len(newest) == 1


def test_a_person_without_the_role_may_not_receive(shop):
    actor = engineer(shop, permissions=frozenset())
    with shop.portal.sessions.begin() as session:
        sign(session, shop)
        release = session.get_one(Release, shop.new.id)
        decision = decide_for(session, actor=actor, release=release, at=START)
        assert decision.code is RefusalCode.AUTHORITY_MISSING
        assert decide_for(session, actor=NOBODY, release=release, at=START).code is RefusalCode.AUTHORITY_MISSING


def test_what_the_contract_refuses_is_said_before_the_person_is_asked(shop):
    actor = engineer(shop, permissions=frozenset())
    with shop.portal.sessions.begin() as session:
        release = session.get_one(Release, shop.new.id)
        decision = decide_for(session, actor=actor, release=release, at=START)
        assert decision.code is RefusalCode.NO_CONTRACT


def agree(session, shop, code="licence", agreement=None):
    texts = {language: {"title": f"{code} {language}", "body": "text"} for language in ("en", "ru")}
    return service.save_agreement(
        session, agreement, Wording(code, texts, (shop.product,)), by=PORTAL_COMMAND, at=START
    )  # fmt: skip


def test_every_agreement_of_the_product_is_asked_for_by_name_until_accepted(shop):
    actor = engineer(shop, language="ru")
    with shop.portal.sessions.begin() as session:
        sign(session, shop)
        shop.product = session.merge(shop.product)
        versions = [agree(session, shop, "export"), agree(session, shop, "licence")]
        session.flush()
        release = session.get_one(Release, shop.new.id)
        decision = decide_for(session, actor=actor, release=release, at=START)
        assert decision.code is RefusalCode.AGREEMENT_REQUIRED
        assert decision.facts["versions"] == tuple(str(version.id) for version in versions)
        assert decision.facts["agreements"] == "export ru, licence ru"
        for version in versions:
            service.accept_agreement(session, version, by=actor, at=START)
            service.accept_agreement(session, version, by=actor, at=START + timedelta(days=1))
        assert decide_for(session, actor=actor, release=release, at=START).is_granted
        colleague = replace(actor, person_id=None)
        assert not decide_for(session, actor=colleague, release=release, at=START).is_granted
    with shop.portal.sessions() as session:
        rows = session.scalars(select(AgreementAcceptance)).all()
        assert [(row.at, row.address) for row in rows] == [(START, "10.1.2.3")] * 2
        accepted = select(func.count()).select_from(AuditEvent).where(AuditEvent.tag == "agreement.accept")
        assert session.scalar(accepted) == 2


def test_only_the_version_in_force_is_accepted_and_only_by_a_person(shop):
    actor = engineer(shop)
    with shop.portal.sessions.begin() as session:
        shop.product = session.merge(shop.product)
        old = agree(session, shop)
        session.flush()
        agreement = queries.agreement(session, old.agreement_id, visible_to=PORTAL_COMMAND)
        agree(session, shop, agreement=agreement)
        session.flush()
        with pytest.raises(AgreementSuperseded):
            service.accept_agreement(session, old, by=actor, at=START)
        with pytest.raises(Forbidden):
            service.accept_agreement(session, old, by=PORTAL_COMMAND, at=START)


def test_the_sentence_says_what_happened_and_what_would_change_it(shop):
    ended = replace(TERMS, starts_on=date(2025, 1, 1), ends_on=date(2025, 12, 31))
    with shop.portal.sessions.begin() as session:
        sign(session, shop, ended)
        release = session.get_one(Release, shop.new.id)
        decision = decide(session, organisation_id=shop.customer.id, release=release, at=START)
    assert isinstance(decision, Refused)
    assert decision.sentence_in(str) == (
        "Contract 17-204 ended on 2025-12-31. A renewal from any date before 2026-03-11 covers this release."
    )
    assert json.loads(json.dumps(decision.to_json())) == {
        "granted": False,
        "code": "contract-expired",
        "clause": "Contract 17-204 ended on 2025-12-31.",
        "until": None,
        "remedy": "A renewal from any date before 2026-03-11 covers this release.",
        "facts": {
            "contract": "17-204", "starts_on": "2025-01-01", "ends_on": "2025-12-31", "time_zone": "Europe/Berlin",
            "before": "2026-03-11",
        },
    }  # fmt: skip


def test_the_remedy_keeps_its_word(shop):
    """A renewal on the last day that the remedy names covers the release, without a back catalogue too."""
    ended = replace(TERMS, starts_on=date(2025, 1, 1), ends_on=date(2025, 12, 31))
    with shop.portal.sessions.begin() as session:
        sign(session, shop, ended)
        release = session.get_one(Release, shop.new.id)
        before = date.fromisoformat(
            str(decide(session, organisation_id=shop.customer.id, release=release, at=START).facts["before"])
        )
        for number, starts_on, is_granted in (("R-1", before, False), ("R-2", before - timedelta(days=1), True)):
            renewal = replace(TERMS, number=number, starts_on=starts_on)
            sign(session, shop, renewal, has_back_catalogue=False)
            late = datetime(2026, 6, 1, tzinfo=UTC)
            decision = decide(session, organisation_id=shop.customer.id, release=release, at=late)
            assert decision.is_granted is is_granted, number


def test_the_ledger_can_keep_a_grant_for_ever(shop):
    with shop.portal.sessions.begin() as session:
        sign(session, shop, levels=Level.MAJOR)
        release = session.get_one(Release, shop.new.id)
        decision = decide(session, organisation_id=shop.customer.id, release=release, at=START)
    assert isinstance(decision, Granted)
    kept = json.loads(json.dumps(decision.to_json()))
    assert (kept["basis"], kept["contract"], kept["until"]) == (
        Basis.ACTIVE_CONTRACT, "17-204", "2026-12-31T23:00:00+00:00",
    )  # fmt: skip
    assert "runs until 2026-12-31" in kept["clause"]


def test_levels_are_said_in_the_readers_language(shop):
    with shop.portal.sessions.begin() as session:
        sign(session, shop, levels=Level.PATCH | Level.HOTFIX)
        release = session.get_one(Release, shop.new.id)
        decision = decide(session, organisation_id=shop.customer.id, release=release, at=START)
    words = {"Patch": "заплатка", "Hotfix": "горячая", "Major": "большой"}
    sentence = decision.clause_in(lambda text: words.get(text, text))
    assert "levels заплатка, горячая; this one is большой" in sentence


def test_a_number_and_a_product_are_given_once(shop):
    with shop.portal.sessions.begin() as session:
        contract = sign(session, shop)
        session.flush()
        with pytest.raises(NumberTaken):
            sign(session, shop)
        with pytest.raises(LineTwice):
            service.add_line(
                session, contract, LineTerms(shop.product.id, None, ALL_LEVELS), by=PORTAL_COMMAND, at=START
            )
        vendor = make_organisation(session, OrganisationKind.VENDOR)
        with pytest.raises(UnknownCustomer):
            service.create_contract(session, vendor, replace(TERMS, number="X"), by=PORTAL_COMMAND, at=START)


def at_once(*acts):
    """Run the acts in threads that start together; what each raised, or None."""
    gate, raised = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number, act):
        gate.wait()
        try:
            act()
        except Exception as error:  # noqa: BLE001 - it is what the test looks at
            raised[number] = error

    threads = [threading.Thread(target=run, args=item) for item in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def test_of_two_contracts_of_one_number_made_at_once_one_is_made(shop):
    def make():
        with shop.portal.sessions.begin() as session:
            sign(session, shop)

    raised = [error for error in at_once(make, make, make) if error]
    assert len(raised) == 2
    assert all(isinstance(error, (NumberTaken, IntegrityError)) for error in raised)
    with shop.portal.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Contract)) == 1


def test_receipts_and_acceptances_at_once_are_one(shop):
    actor = engineer(shop)
    with shop.portal.sessions.begin() as session:
        shop.product = session.merge(shop.product)
        version = agree(session, shop)

    def receive():
        with shop.portal.sessions.begin() as session:
            service.record_received(session, shop.customer.id, shop.new.id, START)

    def accept():
        with shop.portal.sessions.begin() as session:
            service.accept_agreement(session, version, by=actor, at=START)

    assert at_once(receive, accept, receive, accept, receive, accept) == [None] * 6
    with shop.portal.sessions() as session:
        assert session.scalar(select(func.count()).select_from(ReceivedRelease)) == 1
        assert session.scalar(select(func.count()).select_from(AgreementAcceptance)) == 1
        assert session.scalar(select(func.count()).select_from(Agreement)) == 1


def test_what_the_driver_reports_is_said_in_the_houses_errors(shop):
    """The decision asks the driver itself; its errors still reach the page that tells of a database in trouble."""
    with shop.portal.sessions() as session:
        release = session.get_one(Release, shop.new.id)
        session.connection().exec_driver_sql("ALTER TABLE received_releases RENAME TO gone")
        with pytest.raises(DBAPIError):
            decide(session, organisation_id=shop.customer.id, release=release, at=START)
        session.rollback()
        assert not decide(session, organisation_id=shop.customer.id, release=release, at=START).is_granted
