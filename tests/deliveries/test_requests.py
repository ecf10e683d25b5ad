"""Asking for a delivery, approving it, changing its recipient, cancelling it; letters; two at once."""

import threading
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from portal.accounts.sign_in import actor_of
from portal.actors import Via
from portal.audit.models import AuditEvent
from portal.authority.models import PowerOfAttorney
from portal.deliveries import ledger, requests, steps
from portal.deliveries.chain import first_bad
from portal.deliveries.models import Delivery, DeliveryAddress, DeliveryEvent
from portal.deliveries.requests import NewRequest, Wanted
from portal.deliveries.states import Channel, DeliveryState, EventKind
from portal.entitlements.models import Contract, ReceivedRelease
from portal.errors import Forbidden, NotFound, PortalError
from portal.mail.models import OutgoingMail
from portal.permissions import OrganisationKind, Role
from portal.releases import queries as releases
from tests.factories import (
    make_address,
    make_organisation,
    make_person,
    make_published,
    make_recipient,
    make_release,
)

S = DeliveryState


class Desk:
    """Alpha's people, a support centre, a recipient and an address."""

    def __init__(self, world):
        self.world, self.portal = world, world.portal
        self.at = world.portal.clock()
        with self.portal.sessions.begin() as session:
            tsc = make_organisation(session, OrganisationKind.SUPPORT, name="Support")
            world.people["dispatcher"] = make_person(session, tsc, Role.DISPATCHER, name="Dora", language="ru")
            world.people["other dispatcher"] = make_person(session, tsc, Role.DISPATCHER, name="Dmitri")
            self.recipient = make_recipient(session, world.alpha, name="Rita", email="rita@alpha.example")
            self.address = make_address(session, world.alpha, label="Plant")

        self.actors = {who: self._actor(who) for who in world.people}

    def actor(self, who):
        return self.actors[who]

    def _actor(self, who):
        with self.portal.sessions() as session:
            person = session.merge(self.world.people[who])
            session.refresh(person, ["organisation", "role_rows"])
            return actor_of(person, via=Via.SESSION, address="192.0.2.7")

    def new(self, session, **facts):
        release = releases.get(session, self.world.release_id, visible_to=self.actor("publisher"))
        given = {"organisation": self.world.alpha, "wanted": (Wanted(release),), "channel": Channel.EMAIL,
                 "recipient": self.recipient, **facts}  # fmt: skip
        return NewRequest(**given)

    def request(self, who="alpha", **facts):
        with self.portal.sessions.begin() as session:
            return requests.request(session, self.new(session, **facts), by=self.actor(who), at=self.at)

    def do(self, verb, delivery, *arguments, who="dispatcher", **facts):
        with self.portal.sessions.begin() as session:
            row = session.get_one(Delivery, delivery.id)
            return verb(session, row, *arguments, by=self.actor(who), at=facts.pop("at", self.at), **facts)

    def approve(self, delivery, **facts):
        return self.do(requests.approve, delivery, second_person=True, **facts)

    def row(self, delivery):
        with self.portal.sessions() as session:
            return session.get_one(Delivery, delivery.id)

    def events(self, delivery):
        with self.portal.sessions() as session:
            rows = select(DeliveryEvent).where(DeliveryEvent.delivery_id == delivery.id)
            return session.scalars(rows.order_by(DeliveryEvent.sequence)).all()

    def letters(self):
        self.portal.work()
        with self.portal.sessions() as session:
            return session.scalars(select(OutgoingMail).order_by(OutgoingMail.created_at, OutgoingMail.key)).all()


@pytest.fixture
def desk(world):
    return Desk(world)


def test_a_request_is_a_delivery_with_its_decision_and_authority(desk):
    [made] = desk.request(channel=Channel.COURIER, address=desk.address, wanted_by=date(2026, 3, 20), note="Gate 2")
    delivery = desk.row(made)
    assert (delivery.number, delivery.state, delivery.channel) == ("D-000001", S.REQUESTED, Channel.COURIER)
    assert delivery.recipient["name"] == "Rita"
    assert delivery.destination["label"] == "Plant"
    assert delivery.due_at is not None
    assert delivery.decision["basis"] == "active-contract"
    [event] = desk.events(delivery)
    assert event.kind is EventKind.REQUESTED
    assert event.evidence["wanted"]["files"] == sorted(["прошивка 4.10.bin", "second.bin"])
    assert event.evidence["authority"]["number"].startswith("POA-")
    assert event.evidence["decision"]["contract"] == "17-ALPHA"
    with desk.portal.sessions() as session:
        tags = session.scalars(select(AuditEvent.tag)).all()
        assert tags.count("delivery.request") == 1


def test_several_releases_are_several_deliveries_of_one_request(desk):
    with desk.portal.sessions.begin() as session:
        other = make_release(session, desk.world.product, "4.11")
        other.open_from = desk.at - timedelta(days=1)
        make_published(desk.portal.resources, session, other, at=desk.at - timedelta(days=1))
    with desk.portal.sessions.begin() as session:
        both = tuple(
            Wanted(releases.get(session, of, visible_to=desk.actor("publisher")))
            for of in (desk.world.release_id, other.id)
        )
        made = requests.request(session, desk.new(session, wanted=both), by=desk.actor("alpha"), at=desk.at)
    assert [delivery.number for delivery in made] == ["D-000001", "D-000002"]
    assert len({delivery.request_id for delivery in made}) == 1
    letters = [mail for mail in desk.letters() if "D-000001, D-000002" in mail.subject]
    assert len(letters) == 2  # one to each dispatcher
    assert all("4.10, Router R1 4.11" in mail.text for mail in letters)


def test_some_of_the_files(desk):
    chosen = frozenset({desk.world.artifact_id})
    with desk.portal.sessions.begin() as session:
        release = releases.get(session, desk.world.release_id, visible_to=desk.actor("publisher"))
        new = desk.new(session, wanted=(Wanted(release, chosen),))
        [made] = requests.request(session, new, by=desk.actor("alpha"), at=desk.at)
        assert [item.artifact_id for item in made.items] == [desk.world.artifact_id]


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"channel": Channel.DOWNLOAD}, "channel-not-offered"),
        ({"channel": Channel.REMOTE_INSTALLATION}, "channel-not-offered"),
        ({"wanted": ()}, "nothing-wanted"),
        ({"channel": Channel.COURIER}, "address-missing"),
        ({"wanted_by": date(2026, 3, 9)}, "wanted-day-past"),
        ({"wanted_by": date.max}, "not-a-day"),
        ({"note": "x" * 2001}, "text-too-long"),
        ({"note": "a\0b"}, "text-unkeepable"),
    ],
)
def test_a_senseless_request_is_refused_and_nothing_is_kept(desk, facts, code):
    with pytest.raises(PortalError) as refused:
        desk.request(**facts)
    assert refused.value.code == code
    assert desk.world.deliveries() == []


def test_today_is_the_customers_day(desk):
    with desk.portal.sessions.begin() as session:
        desk.world.alpha = session.merge(desk.world.alpha)
        desk.world.alpha.time_zone = "America/Los_Angeles"
    desk.at = desk.at.replace(hour=2)
    [delivery] = desk.request(wanted_by=desk.at.date() - timedelta(days=1))
    assert delivery.wanted_by < desk.at.date()


def test_what_is_not_the_customers_is_not_there(desk):
    beta = desk.world.beta
    with desk.portal.sessions.begin() as session:
        theirs = make_recipient(session, beta)
        address = make_address(session, beta)
    gone = DeliveryAddress(
        organisation_id=desk.world.alpha.id, label="x", lines=["x"], country="DE", removed_at=desk.at
    )
    for facts in ({"recipient": theirs}, {"channel": Channel.COURIER, "address": address},
                  {"channel": Channel.COURIER, "address": gone}, {"organisation": beta}):  # fmt: skip
        with pytest.raises(NotFound):
            desk.request(**facts)
    with pytest.raises(Forbidden):
        desk.request(who="publisher")
    assert desk.world.deliveries() == []


def test_contract_and_authority_are_asked_at_the_request_and_at_the_approval(desk):
    contract = (Contract, desk.world.contract_id)
    [first] = desk.request()
    desk.world.change(contract, ends_at=desk.at - timedelta(days=60), ends_on=date(2025, 1, 1))
    for attempt in (desk.request, lambda: desk.approve(first)):
        with pytest.raises(PortalError) as refused:
            attempt()
        assert refused.value.code == "contract-expired"
    desk.world.change(contract, ends_at=desk.at + timedelta(days=60))
    with desk.portal.sessions.begin() as session:
        session.scalar(select(PowerOfAttorney)).revoke("left", None, desk.at)
    for attempt in (desk.request, lambda: desk.approve(first)):
        with pytest.raises(PortalError) as refused:
            attempt()
        assert refused.value.code == "authority-missing"
    assert desk.row(first).state is S.REQUESTED
    assert len(desk.world.deliveries()) == 1


def test_a_hand_over_needs_somebody_who_may_sign(desk):
    with desk.portal.sessions.begin() as session:
        mute = make_recipient(session, desk.world.alpha, power={"may_sign": False})
    assert desk.request(recipient=mute)
    with pytest.raises(PortalError) as refused:
        desk.request(recipient=mute, channel=Channel.HAND_OVER)
    assert refused.value.code == "authority-out-of-scope"


def test_the_same_form_twice_is_one_request_and_other_content_is_refused(desk):
    [first] = desk.request(submission="form-1", note="once")
    [again] = desk.request(submission="form-1", note="once")
    assert again.id == first.id
    assert len(desk.world.deliveries()) == 1
    with pytest.raises(PortalError) as refused:
        desk.request(submission="form-1", note="twice")
    assert refused.value.code == "submission-reused"
    assert desk.request(submission="form-1", who="alpha-2")[0].id != first.id
    assert [d.number for d in desk.world.deliveries()].count("D-000002") == 1


def test_two_clicks_at_once_are_one_request(desk):
    made, errors = [], []

    def click():
        try:
            made.append(desk.request(submission="double")[0].id)
        except Exception as error:  # noqa: BLE001 - shown below
            errors.append(error)

    together(click, click)
    assert errors == []
    assert len(set(made)) == 1
    assert len(desk.world.deliveries()) == 1


def test_approval_is_a_second_persons(desk):
    [own] = desk.request(who="dispatcher")
    with pytest.raises(PortalError) as refused:
        desk.approve(own)
    assert refused.value.code == "own-request"
    desk.do(requests.approve, own, second_person=False)
    assert desk.row(own).state is S.APPROVED
    [other] = desk.request(who="dispatcher")
    desk.approve(other, who="other dispatcher")
    with pytest.raises(Forbidden):
        desk.approve(desk.request()[0], who="alpha")
    event = desk.events(other)[-1]
    assert (event.kind, sorted(event.evidence)) == (EventKind.APPROVED, ["authority", "decision"])
    assert first_bad(desk.events(other)) is None


def test_two_dispatchers_at_once_one_wins(desk):
    [delivery] = desk.request()
    codes = []

    def approve(who):
        try:
            desk.approve(delivery, who=who)
            codes.append("done")
        except PortalError as error:
            codes.append(error.code)

    together(lambda: approve("dispatcher"), lambda: approve("other dispatcher"))
    assert sorted(codes) == ["delivery-step-out-of-order", "done"]
    assert [event.kind.value for event in desk.events(delivery)] == ["requested", "approved"]


def test_cancelling(desk):
    [one], [two], [three] = desk.request(), desk.request(), desk.request()
    desk.do(requests.cancel, one, who="alpha-2", reason="Not needed")
    assert desk.row(one).state is S.CANCELLED
    assert desk.row(one).due_at is None
    with pytest.raises(NotFound):
        desk.do(requests.cancel, two, who="beta", reason="Not mine")
    with pytest.raises(PortalError) as refused:
        desk.do(requests.cancel, one, reason="again")
    assert refused.value.code == "delivery-step-out-of-order"
    with pytest.raises(PortalError) as refused:
        desk.do(requests.cancel, two, reason=" ")
    assert refused.value.code == "text-missing"
    dispatched(desk, three)
    with pytest.raises(PortalError) as refused:
        desk.do(requests.cancel, three, who="alpha", reason="Too late")
    assert refused.value.code == "too-late-to-cancel"
    desk.do(requests.cancel, three, reason="The link was sent by mistake")
    assert desk.row(three).state is S.CANCELLED


def test_another_recipient_is_a_new_entry(desk):
    with desk.portal.sessions.begin() as session:
        other = make_recipient(session, desk.world.alpha, name="Otto")
        stranger = make_recipient(session, desk.world.beta)
        powerless = make_recipient(session, desk.world.alpha, power={"may_receive": False})
    [delivery] = desk.request()
    change = requests.change_recipient
    desk.do(change, delivery, other, who="alpha", reason="Rita is away")
    assert desk.row(delivery).recipient["name"] == "Otto"
    entry = desk.events(delivery)[-1]
    assert (entry.kind, entry.evidence["recipient_before"]["name"]) == (EventKind.CORRECTED, "Rita")
    assert desk.events(delivery)[0].evidence["wanted"]["recipient"]["name"] == "Rita"
    for whom, who, code in ((other, "alpha", "same-recipient"), (stranger, "alpha", "not-found"),
                            (powerless, "alpha", "authority-out-of-scope")):  # fmt: skip
        with pytest.raises(PortalError) as refused:
            desk.do(change, delivery, whom, who=who, reason="x")
        assert refused.value.code == code
    desk.approve(delivery)
    with pytest.raises(PortalError) as refused:
        desk.do(change, delivery, desk.recipient, who="alpha", reason="back")
    assert refused.value.code == "recipient-fixed"
    desk.do(change, delivery, desk.recipient, reason="back")
    desk.do(steps.prepared, delivery, {"sha256": "0" * 64})
    with pytest.raises(PortalError) as refused:
        desk.do(change, delivery, other, reason="x")
    assert refused.value.code == "recipient-fixed"
    assert desk.row(delivery).recipient["name"] == "Rita"
    assert first_bad(desk.events(delivery)) is None


def test_what_was_received_may_be_taken_again_by_whatever_channel_it_came(desk):
    [delivery] = desk.request()
    dispatched(desk, delivery)
    at = desk.at + timedelta(hours=1)

    def received():
        with desk.portal.sessions() as session:
            return session.scalars(select(ReceivedRelease.first_at)).all()

    assert received() == []
    with desk.portal.sessions.begin() as session:
        ledger.step(session, ledger.locked(session, delivery.id), S.DELIVERED,
                    {"bytes": 1, "code_confirmed_at": at}, by=desk.actor("alpha"), at=at)  # fmt: skip
    assert received() == [at]
    with desk.portal.sessions.begin() as session:
        ledger.step(session, ledger.locked(session, delivery.id), S.ACKNOWLEDGED, {"statement": "verified"},
                    by=desk.actor("alpha"), at=at + timedelta(hours=1))  # fmt: skip
    assert received() == [at]


def test_an_incident_stops_and_somebody_lets_it_go_on(desk):
    [delivery] = desk.request()
    desk.approve(delivery)
    desk.do(steps.stop, delivery, who="alpha", reason="The seal is broken", seal="A-1")
    desk.do(steps.stop, delivery, who="alpha", reason="And the serial differs")
    row = desk.row(delivery)
    assert row.stopped_at == desk.at
    with pytest.raises(PortalError) as refused:
        desk.do(steps.prepared, delivery, {"sha256": "0" * 64})
    assert refused.value.code == "delivery-stopped"
    with pytest.raises(Forbidden):
        desk.do(steps.resume, delivery, who="alpha", reason="Never mind")
    desk.do(steps.resume, delivery, reason="Sealed anew")
    with pytest.raises(PortalError) as refused:
        desk.do(steps.resume, delivery, reason="Again")
    assert refused.value.code == "delivery-not-stopped"
    desk.do(steps.prepared, delivery, {"sha256": "0" * 64})
    kinds = [event.kind.value for event in desk.events(delivery)]
    assert kinds == ["requested", "approved", "incident-opened", "incident-opened", "incident-closed", "prepared"]
    with desk.portal.sessions() as session:
        assert session.scalars(select(AuditEvent.tag)).all().count("delivery.stop") == 3
    desk.do(requests.cancel, delivery, reason="over")
    with pytest.raises(PortalError) as refused:
        desk.do(steps.stop, delivery, reason="late")
    assert refused.value.code == "delivery-step-out-of-order"


def dispatched(desk, delivery):
    """Walk a delivery by e-mail to where it has left."""
    event = desk.approve(delivery)
    desk.do(steps.prepared, delivery, {"sha256": "0" * 64})
    proof = event.evidence | {"message_id": "<1@portal>", "recipient": "rita@alpha.example"}
    with desk.portal.sessions.begin() as session:
        ledger.step(session, ledger.locked(session, delivery.id), S.DISPATCHED, proof, by=desk.actor("dispatcher"),
                    at=desk.at)  # fmt: skip


def together(*calls):
    barrier = threading.Barrier(len(calls))

    def run(call):
        barrier.wait()
        call()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
