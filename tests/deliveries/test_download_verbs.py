"""Downloads move by verbs of their own: no sequence of them reaches a state whose proof the chain does not hold."""

import hashlib
from datetime import timedelta
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from portal.accounts.models import Person
from portal.accounts.service import actor_of
from portal.config import Downloads
from portal.deliveries import service
from portal.deliveries.chain import first_bad
from portal.deliveries.errors import StepOutOfOrder
from portal.deliveries.models import Delivery, DeliveryEvent
from portal.deliveries.service import Taking
from portal.deliveries.states import DeliveryState, EventKind
from portal.entitlements.models import ReceivedRelease
from portal.releases.models import Artifact
from portal.web.byte_ranges import Span
from tests.deliveries.conftest import build

S, K = DeliveryState, EventKind
CONTENT = b"0123456789"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
LED_TO = {K.GRANTED: S.DISPATCHED, K.TRANSFERRED: S.DELIVERED, K.CONFIRMED: S.ACKNOWLEDGED}
edges = st.integers(0, len(CONTENT))


class Connections(RuleBasedStateMachine):
    """One person, one file: connections that open, break and end, and what the person says, in any order."""

    world: ClassVar
    person_id: ClassVar
    visited: ClassVar[set]

    @initialize()
    def begin(self):
        self.clock, self.session = self.world.portal.clock(), self.world.portal.sessions()
        person = self.session.get_one(Person, self.person_id)
        self.session.refresh(person, ["organisation", "role_rows"])
        self.by, self.sent, self.unseen = actor_of(person, address="192.0.2.7"), {}, set()
        artifact = self.session.get_one(Artifact, self.world.artifact_id)
        self.session.refresh(artifact, ["release"])
        self.session.refresh(artifact.release, ["product"])
        self.artifact = artifact
        self.granted = service.require_entitled(self.session, artifact.release, by=self.by, at=self.clock)

    @rule(first=edges, last=edges, is_seen=st.sampled_from((True, True, True, False)), minutes=st.sampled_from((0, 5)))
    def connect(self, first, last, is_seen, minutes):
        """Bytes are asked for; those of a connection that another server serves are never seen."""
        start, end = min(first, last), max(first, last)
        if start == end:
            return
        self.clock += timedelta(minutes=minutes)
        way = Downloads.PORTAL if is_seen else Downloads.ACCEL
        taking = Taking(self.artifact, self.granted, Span(start, end) if is_seen else None, way, "curl")
        delivery_id = service.issue(self.session, taking, by=self.by, at=self.clock)
        self.sent.setdefault(delivery_id, set())
        if not is_seen:
            self.unseen.add(delivery_id)

    @rule(place=st.integers(0, 9))
    def send_all(self, place):
        self.send(place, 0, len(CONTENT))

    @rule(place=st.integers(0, 9), first=edges, last=edges)
    def send_some(self, place, first, last):
        self.send(place, first, last)

    def send(self, place, first, last):
        start, end = min(first, last), max(first, last)
        if not self.sent or start == end:
            return
        delivery_id = list(self.sent)[place % len(self.sent)]
        service.record_sent(self.session, delivery_id, Span(start, end), by=self.by, at=self.clock)
        self.sent[delivery_id] |= set(range(start, end))

    @rule(place=st.integers(0, 9), told=st.sampled_from((None, SHA256, SHA256.upper() + " ", "0" * 64, "")))
    def confirm(self, place, told):
        if not self.sent:
            return
        delivery = self.session.get_one(Delivery, list(self.sent)[place % len(self.sent)])
        is_whole = self._is_whole(delivery.id)
        was = delivery.state
        try:
            taken = service.confirm(self.session, delivery, told, by=self.by, at=self.clock)
        except StepOutOfOrder:
            assert not told
            assert not is_whole
            assert delivery.id not in self.unseen
            return
        assert taken == (not told or told.strip().lower() == SHA256)
        assert (delivery.state is S.ACKNOWLEDGED) == (taken or was is S.ACKNOWLEDGED)

    def _is_whole(self, delivery_id):
        return len(self.sent[delivery_id]) == len(CONTENT)

    @invariant()
    def every_state_stands_on_its_proof(self):
        if not hasattr(self, "session"):
            return
        for delivery in self.session.scalars(select(Delivery)):
            rows = select(DeliveryEvent).where(DeliveryEvent.delivery_id == delivery.id)
            events = self.session.scalars(rows.order_by(DeliveryEvent.sequence)).all()
            assert first_bad(events) is None
            proofs = {event.kind: event.evidence for event in events if event.kind in LED_TO}
            assert [LED_TO[kind] for kind in proofs][-1] is delivery.state
            assert proofs[K.GRANTED]["decision"]
            if K.TRANSFERRED in proofs:
                assert self._is_whole(delivery.id)
                assert proofs[K.TRANSFERRED]["bytes"] == len(CONTENT)
            if K.CONFIRMED in proofs:
                is_word = proofs[K.CONFIRMED].get("sha256", "").strip().lower() != SHA256
                assert not is_word or self._is_whole(delivery.id) or delivery.id in self.unseen
            self.visited.add(delivery.state)
        held = [one for one in self.session.scalars(select(Delivery)) if one.is_held]
        assert bool(self.session.scalars(select(ReceivedRelease)).all()) == bool(held)

    def teardown(self):
        if hasattr(self, "session"):
            self.session.rollback()
            self.session.close()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_no_sequence_of_downloads_reaches_a_state_without_its_proof(portal):
    world, visited = build(portal, CONTENT), set()
    facts = {"world": world, "person_id": world.people["alpha"].id, "visited": visited}
    run_state_machine_as_test(
        type("OfThisPortal", (Connections,), facts),
        settings=settings(max_examples=60, stateful_step_count=20, deadline=None, database=None, derandomize=True,
                          suppress_health_check=list(HealthCheck)),
    )  # fmt: skip
    assert visited == {S.DISPATCHED, S.DELIVERED, S.ACKNOWLEDGED}
