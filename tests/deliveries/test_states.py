"""The state machine: no sequence of steps reaches a state without a chain of entries that holds its proof."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import ClassVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from portal.actors import PORTAL_COMMAND
from portal.deliveries import ledger, steps
from portal.deliveries.chain import first_bad
from portal.deliveries.due import due_at
from portal.deliveries.errors import ProofMissing
from portal.deliveries.models import Delivery, DeliveryEvent, DeliveryItem
from portal.deliveries.progress import missing, next_step, track, way_of
from portal.deliveries.states import (
    CLOSED_STATES,
    FIRST_STATES,
    HELD_STATES,
    PROOFS,
    TRANSITIONS,
    WHILE_STOPPED,
    Channel,
    DeliveryState,
    EventKind,
)
from portal.deliveries.wording import state_title
from portal.entitlements.models import ReceivedRelease
from portal.errors import PortalError
from tests.factories import make_artifact, make_organisation, make_product, make_release
from tests.portals import START

S = DeliveryState
HOUR = timedelta(hours=1)
NOTES = [kind for kind in EventKind if kind.value not in set(DeliveryState)]
EMPTY = (None, "", "  ", [], {})


def proof_of(channel, state):
    """A proof with everything in it, of kinds that channels really put there."""
    return {
        name: {"digest": "ab" * 32} if name in ("decision", "authority", "proof", "identity") else f"the {name}"
        for name in PROOFS[channel][state]
        if name != ledger.HAPPENED
    }


class Sequences(RuleBasedStateMachine):
    """Random steps of one delivery, right and wrong ones, against a model that knows the tables alone."""

    sessions: ClassVar
    place: ClassVar["Place"]
    channel: ClassVar[Channel]
    visited: ClassVar[set]
    refused: ClassVar[set]

    @initialize(ahead=st.sampled_from((5, 0, 1, 2, 3, 4)))
    def begin(self, ahead):
        channel, self.clock = self.channel, START
        self.session = self.sessions()
        self.state, self.stopped, self.since = FIRST_STATES[channel], False, START
        self.reached = [(self.state, START)]
        self.delivery = self.place.delivery(channel)
        self.session.add(self.delivery)
        self.session.flush()
        item = DeliveryItem(delivery_id=self.delivery.id, artifact_id=self.place.artifact_id, size_bytes=5,
                            sha256="ab" * 32)  # fmt: skip
        self.session.add(item)
        ledger.begin(self.session, self.delivery, proof_of(channel, self.state), by=PORTAL_COMMAND, at=START)
        for state in way_of(channel)[1 : ahead + 1]:  # some begin far along, or the far states are never seen
            self._try(state, None, None, None)

    @rule(
        state=st.sampled_from(S),
        lacks=st.none() | st.integers(0, 20),
        nothing=st.sampled_from(EMPTY),
        happened=st.sampled_from((None, -3 * HOUR, timedelta(0), HOUR)),
    )
    def step(self, state, lacks, nothing, happened):
        self._try(state, lacks, nothing, happened)

    @rule(place=st.integers(0, 10))
    def step_onward(self, place):
        """A right step, with all its proof."""
        following = sorted(TRANSITIONS[self.channel].get(self.state, ()))
        if following:
            self._try(following[place % len(following)], None, None, None)

    @rule(place=st.integers(0, 10), lacks=st.integers(0, 20), nothing=st.sampled_from(EMPTY))
    def step_without_a_proof(self, place, lacks, nothing):
        """A right step, of whose proof one part is lacking."""
        following = sorted(TRANSITIONS[self.channel].get(self.state, ()))
        if following:
            self._try(following[place % len(following)], lacks, nothing, None)
            self.refused.add(self.channel)

    def _try(self, state, lacks, nothing, happened):
        self.clock += HOUR
        # Downloads have no entry of their own for some words; whoever asks for one is out of order.
        names = sorted(PROOFS[self.channel].get(state, ()))
        proof = proof_of(self.channel, state) if names else {}
        if ledger.HAPPENED in names or happened is not None:
            proof[ledger.HAPPENED] = self.clock + (happened or timedelta(0))
        dropped = names[lacks % len(names)] if names and lacks is not None else None
        if dropped:
            proof[dropped] = nothing if dropped != ledger.HAPPENED else None
        expected = self._expected(state, dropped, proof)
        before = self._seen()
        code = code_of(lambda: ledger.step(self.session, self.delivery, state, proof, by=PORTAL_COMMAND, at=self.clock))
        assert code == expected
        if code:
            assert self._seen() == before
            return
        self.state, self.since = state, proof.get(ledger.HAPPENED) or self.clock
        self.reached.append((state, self.since))
        self.visited.add((self.channel, state))

    def _expected(self, state, dropped, proof):
        at = proof.get(ledger.HAPPENED) or self.clock
        if state not in TRANSITIONS[self.channel].get(self.state, ()):
            return "delivery-step-out-of-order"
        if self.stopped and state not in WHILE_STOPPED:
            return "delivery-stopped"
        if dropped:
            return "delivery-proof-missing"
        if at > self.clock:
            return "delivery-time-in-future"
        return "delivery-time-before-last-step" if at < self.since else None

    @rule(kind=st.sampled_from(EventKind))
    def note(self, kind):
        self.clock += HOUR
        before = self._seen()
        if kind in NOTES:
            ledger.note(self.session, self.delivery, kind, {"note": "seen"}, by=PORTAL_COMMAND, at=self.clock)
            assert self._seen()[:-1] == before[:-1]
        else:
            with pytest.raises(ValueError, match="is a step"):
                ledger.note(self.session, self.delivery, kind, {}, by=PORTAL_COMMAND, at=self.clock)
            assert self._seen() == before

    @rule(stopping=st.booleans())
    def stop_or_resume(self, stopping):
        self.clock += HOUR
        verb = steps.stop if stopping else steps.resume
        possible = self.state not in CLOSED_STATES if stopping else self.stopped
        refusal = "delivery-step-out-of-order" if stopping else "delivery-not-stopped"
        if stopping and self.delivery.channel is Channel.REMOTE_INSTALLATION:
            possible, refusal = False, "delivery-of-an-update"
        code = code_of(
            lambda: verb(self.session, self.delivery, reason="a broken seal", by=PORTAL_COMMAND, at=self.clock)
        )
        assert code == (None if possible else refusal)
        if possible:
            self.stopped = stopping

    def _seen(self):
        row = self.delivery
        return (
            row.state,
            row.since,
            row.due_at,
            row.stopped_at,
            row.delivered_at,
            row.acknowledged_at,
            len(self._events()),
        )

    def _events(self):
        rows = select(DeliveryEvent).where(DeliveryEvent.delivery_id == self.delivery.id)
        return self.session.scalars(rows.order_by(DeliveryEvent.sequence)).all()

    @invariant()
    def every_state_stands_on_its_proofs(self):
        if not hasattr(self, "delivery"):
            return
        events = self._events()
        assert first_bad(events) is None
        walked = [event for event in events if event.kind.value in set(S)]
        states = [S(event.kind.value) for event in walked]
        assert states == [state for state, _ in self.reached]
        assert self.delivery.state is states[-1]
        assert (self.delivery.stopped_at is not None) == self.stopped
        for earlier, later in pairwise(states):
            assert later in TRANSITIONS[self.channel][earlier]
        for event, state in zip(walked, states, strict=True):
            assert all(event.evidence.get(name) not in EMPTY for name in PROOFS[self.channel][state])
        times = [at for _, at in self.reached]
        assert times == sorted(times)
        received = self.session.scalar(select(ReceivedRelease.first_at))
        held = [at for state, at in self.reached if state in HELD_STATES]
        assert received == (held[0] if held else None)

    def teardown(self):
        if hasattr(self, "session"):
            self.session.rollback()
            self.session.close()


def code_of(call):
    """The stable code with which it is refused, None when it is done."""
    try:
        call()
    except PortalError as error:
        return error.code
    return None


@dataclass(frozen=True)
class Place:
    organisation_id: UUID
    release_id: UUID
    artifact_id: UUID

    def delivery(self, channel):
        return Delivery(id=uuid4(), channel=channel, state=FIRST_STATES[channel], organisation_id=self.organisation_id,
                        release_id=self.release_id, person_name="Anna", created_at=START, decision={},
                        number=f"D-{uuid4().hex[:6]}")  # fmt: skip


@pytest.fixture
def place(portal):
    with portal.sessions.begin() as session:
        release = make_release(session, make_product(session), "1.0")
        artifact = make_artifact(session, portal.store, release)
        organisation = make_organisation(session)
        session.flush()
        return Place(organisation.id, release.id, artifact.id)


def test_no_sequence_reaches_a_state_without_its_proof(portal, place):
    is_sqlite = portal.resources.engine.dialect.name == "sqlite"
    visited, refused = set(), set()
    for channel in Channel:
        facts = {"sessions": portal.sessions, "place": place, "channel": channel, "visited": visited,
                 "refused": refused}  # fmt: skip
        run_state_machine_as_test(
            type("OfThisChannel", (Sequences,), facts),
            settings=settings(max_examples=30 if is_sqlite else 15, stateful_step_count=15, deadline=None,
                              database=None, derandomize=True, suppress_health_check=list(HealthCheck)),
        )  # fmt: skip
    possible = {(channel, to) for channel in Channel for after in TRANSITIONS[channel].values() for to in after}
    assert visited <= possible
    assert refused == set(Channel)
    assert len(visited) > len(possible) * 3 / 4
    assert {(channel, S.ACKNOWLEDGED) for channel in Channel} <= visited


@pytest.mark.parametrize("channel", Channel)
def test_every_state_that_can_be_reached_has_its_proofs_named(channel):
    reachable = {FIRST_STATES[channel]}
    for _ in S:
        reachable |= {after for state in reachable for after in TRANSITIONS[channel].get(state, ())}
    assert reachable <= set(PROOFS[channel])
    assert set(TRANSITIONS[channel]) <= reachable
    for state in reachable - {S.ACKNOWLEDGED} if channel is Channel.DOWNLOAD else reachable:
        assert PROOFS[channel][state], state
    assert {after for states in TRANSITIONS[channel].values() for after in states} <= reachable


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("state", S)
def test_every_missing_proof_is_named(portal_free_delivery, channel, state):
    if state not in PROOFS[channel]:
        return
    for name in PROOFS[channel][state]:
        for nothing in EMPTY:
            proof = {**proof_of(channel, state), ledger.HAPPENED: START, name: nothing}
            with pytest.raises(ProofMissing) as refused:
                ledger._require_proof(portal_free_delivery(channel), state, proof)
            assert refused.value.facts["missing"] == name


@pytest.fixture
def portal_free_delivery():
    return lambda channel, state=S.REQUESTED: Delivery(
        channel=channel, state=state, person_name="Anna", recipient={"name": "Rita"}, items=[], events=[]
    )


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("state", S)
def test_every_state_says_what_comes_next_and_what_is_missing(portal_free_delivery, channel, state):
    reachable = {FIRST_STATES[channel], *TRANSITIONS[channel], *(set().union(*TRANSITIONS[channel].values()))}
    if state not in reachable:
        return
    delivery = portal_free_delivery(channel, state)
    following = next_step(delivery)
    assert (following is None) == (state in CLOSED_STATES)
    if following:
        assert "%(" not in following.sentence_in(str)
    lacks = [lack.code for lack in missing(delivery)]
    assert (lacks == []) == (state in CLOSED_STATES)
    assert all("%(" not in lack.sentence_in(str) for lack in missing(delivery))
    assert state_title(delivery)
    assert [stage.state for stage in track(delivery) if stage.is_here] == [state]
    delivery.stopped_at = START
    if state not in CLOSED_STATES:
        assert next_step(delivery).code == "incident"


def test_what_is_missing_shrinks_along_the_way(portal_free_delivery):
    for channel in (Channel.EMAIL, Channel.COURIER, Channel.HAND_OVER):
        counts = [len(missing(portal_free_delivery(channel, state))) for state in way_of(channel)]
        assert counts == sorted(counts, reverse=True)
        assert (counts[0], counts[-1]) == (len(counts) - 1, 0)


@pytest.mark.parametrize(
    ("channel", "state", "since", "wanted", "due"),
    [
        (Channel.EMAIL, S.REQUESTED, "2026-03-10T12:00", None, "2026-03-11T12:00"),
        (Channel.EMAIL, S.REQUESTED, "2026-03-13T12:00", None, "2026-03-16T12:00"),  # a Friday
        (Channel.COURIER, S.REQUESTED, "2026-03-10T12:00", "2026-03-10", "2026-03-11T00:00"),
        (Channel.COURIER, S.APPROVED, "2026-03-10T12:00", "2026-03-09", "2026-03-10T12:00"),
        (Channel.COURIER, S.APPROVED, "2026-03-10T12:00", "2026-12-09", "2026-03-13T12:00"),
        (Channel.COURIER, S.DISPATCHED, "2026-03-10T12:00", "2026-03-11", "2026-03-24T12:00"),
        (Channel.COURIER, S.REFUSED, "2026-03-10T12:00", None, "2026-03-24T12:00"),
        (Channel.EMAIL, S.REFUSED, "2026-03-10T12:00", None, None),
        (Channel.HAND_OVER, S.DELIVERED, "2026-03-10T12:00", None, "2026-03-17T12:00"),
        (Channel.EMAIL, S.ACKNOWLEDGED, "2026-03-10T12:00", None, None),
        (Channel.EMAIL, S.CANCELLED, "2026-03-10T12:00", None, None),
        (Channel.DOWNLOAD, S.DISPATCHED, "2026-03-10T12:00", None, None),
    ],
)
def test_when_a_state_is_overdue(channel, state, since, wanted, due):
    day = datetime.fromisoformat(wanted).date() if wanted else None
    found = due_at(channel, state, at(since), day)
    assert found == (at(due) if due else None)


def at(text):
    return datetime.fromisoformat(f"{text}:00+00:00")
