"""The dispatcher's and the customer's pages, walked; papers; who may see what."""

import csv
import io
import re

import pypdf
import pytest
from sqlalchemy import select

from portal.audit.models import AuditEvent
from portal.audit.service import Tag
from portal.couriers import incidents
from portal.couriers.incidents import Difference
from portal.couriers.states import IncidentKind, MediumState
from portal.deliveries.models import Delivery
from portal.deliveries.states import DeliveryState
from tests.couriers.conftest import KIT
from tests.factories import make_address

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x00\x05\xfe\x02\xfe\xa7\x9a\xa0\xa0\x00\x00\x00\x00IEND\xaeB`\x82"
)
MOMENT = "2026-03-10T12:00"


pytestmark = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
"""One database is enough here: what the verbs do on both is tested beside."""


@pytest.fixture
def clerk(depot):
    return depot.world.of("dispatcher")


def text_of(answer) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(answer.data)).pages)


def test_the_way_of_a_parcel_through_the_pages(depot, clerk):
    delivery, medium = depot.approved(), depot.medium("A1")
    page = f"/couriers/{delivery.id}"
    assert f"--delivery {delivery.number}" in clerk.get(page).text
    depot.write(delivery, medium)
    packed = clerk.submit(f"{page}/pack", page=page, seal="SEAL 1", carrier=str(depot.carrier_id))
    assert packed.status_code == 303
    assert clerk.submit(f"{page}/dispatch", page=page, tracking="", happened_at=MOMENT).status_code == 422
    late = clerk.submit(f"{page}/dispatch", page=page, tracking="T1", happened_at="2027-01-01T00:00")
    assert late.status_code == 422
    for moment in ("0001-01-01T00:00", "9999-12-31T23:59", "2026-03-09T12:00", "yesterday", ""):
        assert clerk.submit(f"{page}/dispatch", page=page, tracking="T1", happened_at=moment).status_code == 422, moment
    sent = clerk.submit(f"{page}/dispatch", page=page, tracking='T"1<b>', happened_at=MOMENT)
    assert sent.status_code == 303
    shown = clerk.get(page).text
    assert 'href="https://post.example/t?n=T%221%3Cb%3E"' in shown
    assert "T&#34;1&lt;b&gt;" in shown
    assert clerk.submit(f"{page}/dispatch", page=page, tracking="T2", happened_at=MOMENT).status_code == 409
    for days, is_late in ((6, False), (9, True)):
        depot.portal.clock.advance(days=days)
        clerk = depot.world.of("dispatcher")
        listed = clerk.get("/couriers").text
        assert delivery.number in listed
        assert ("просрочено" in listed) is is_late
    form = {"happened_at": "2026-03-12T10:00", "proof": "signed by the guard",
            "file": (io.BytesIO(PNG), "proof.png")}  # fmt: skip
    brought = clerk.submit(f"{page}/delivered", **form)
    assert brought.status_code == 303, brought.text
    [event] = [event for event in depot.events(delivery) if event.kind.value == "delivered"]
    assert event.evidence["proof"]["text"] == "signed by the guard"
    assert clerk.get(f"{page}/proofs/{event.sequence}").data == PNG
    assert clerk.get(f"{page}/proofs/1").status_code == 404


def test_papers_speak_the_recipients_language_and_carry_the_digest(depot, clerk):
    delivery = depot.prepared("A1")
    papers = f"/couriers/{delivery.id}/papers"
    assert clerk.get(f"{papers}/packing.pdf").status_code == 409
    depot.pack(delivery, "SEAL-9")
    packing = text_of(clerk.get(f"{papers}/packing.pdf"))
    for words in (delivery.number, "SEAL-9", "A1", depot.code(delivery), "Ольга Королёва"):
        assert words in packing
    assert depot.secret(delivery) in re.sub(r"\s|\u200b", "", packing)
    assert "Упаковочный лист" in packing
    for paper in ("address", "seal"):
        assert delivery.number in text_of(clerk.get(f"{papers}/{paper}.pdf"))
    assert clerk.get(f"{papers}/other.pdf").status_code == 404


def test_a_label_has_room_for_the_longest_address(depot, clerk):
    delivery = depot.prepared("A1")
    depot.pack(delivery, "SEAL-9")
    with depot.sessions.begin() as session:
        place = {"label": "x", "lines": ["Ж" * 60] * 5, "country": "RU", "phone": "+79161234567"}
        session.get_one(Delivery, delivery.id).destination = place
    for paper in ("packing", "address", "seal"):
        answer = clerk.get(f"/couriers/{delivery.id}/papers/{paper}.pdf")
        assert answer.status_code == 200
        if paper != "packing":
            assert len(pypdf.PdfReader(io.BytesIO(answer.data)).pages) == 1


def test_trouble_is_noted_with_proof_and_replaced(depot, clerk):
    delivery = depot.dispatched("A1")
    page = f"/couriers/{delivery.id}"
    lacking = clerk.submit(f"{page}/lost", happened_at=MOMENT, reason="gone", proof=" ")
    assert lacking.status_code == 422
    text = io.BytesIO(b"no picture at all")
    assert clerk.submit(f"{page}/lost", happened_at=MOMENT, reason="x", file=(text, "a.png")).status_code == 422
    assert clerk.submit(f"{page}/lost", happened_at=MOMENT, reason="gone", proof="letter 5").status_code == 303
    assert depot.now(delivery).state is DeliveryState.LOST
    answer = clerk.submit(f"{page}/replace", to=str(depot.address_id))
    assert answer.status_code == 303
    new = clerk.get(answer.location).text
    assert delivery.number in new
    assert clerk.submit(f"{page}/replace", to=str(depot.address_id)).status_code == 409
    assert clerk.submit(f"{page}/returned", happened_at=MOMENT, reason="found", proof="here").status_code == 303
    assert depot.medium_now("A1").state is MediumState.RETURNED


def test_another_customers_address_is_no_choice(depot, clerk):
    delivery = depot.dispatched("A1")
    page = f"/couriers/{delivery.id}"
    clerk.submit(f"{page}/lost", happened_at=MOMENT, reason="gone", proof="letter 5")
    with depot.sessions.begin() as session:
        other = make_address(session, session.merge(depot.world.beta))
    assert clerk.submit(f"{page}/replace", to=str(other.id)).status_code == 422


def test_incidents_are_reported_by_telephone_and_closed(depot, clerk):
    delivery = depot.dispatched("A1")
    page = f"/couriers/{delivery.id}"
    assert clerk.submit(f"{page}/incident", name="Olga").status_code == 422
    assert clerk.submit(f"{page}/incident", name="Olga", kind="other", text=" ").status_code == 422
    sent = clerk.submit(f"{page}/incident", name="Olga", kind="other-serial", serial="<i>Z9</i>")
    assert sent.status_code == 303
    assert "&lt;i&gt;Z9&lt;/i&gt;" in clerk.get(page).text
    [incident] = depot.incidents(delivery)
    close = f"{page}/incidents/{incident.id}"
    assert clerk.get(f"/couriers/{depot.approved().id}/incidents/{incident.id}").status_code == 404
    assert clerk.submit(close, outcome="unfounded", text="misread").status_code == 303
    assert depot.now(delivery).stopped_at is None
    assert (
        clerk.post(
            close, data={"outcome": "stands", "text": "x", "csrf_token": clerk.get_token("/media/new")}
        ).status_code
        == 422
    )


def test_a_medium_set_aside(depot, clerk):
    delivery = depot.prepared("A1")
    assert clerk.submit(f"/couriers/{delivery.id}/set-aside", reason="torn bag").status_code == 303
    assert depot.now(delivery).state is DeliveryState.FAILED


def test_the_register_of_media(depot, clerk):
    facts = {"kind": "usb", "capacity": "64", "customer": "", "note": "=cmd()"}
    assert clerk.submit("/media/new", serial="AB 1", **facts).status_code == 303
    assert clerk.submit("/media/new", serial="ab-1", **facts).status_code == 422
    assert clerk.submit("/media/new", serial="C1", **(facts | {"customer": "nobody"})).status_code == 422
    assert clerk.submit("/media/new", serial="C1", **(facts | {"customer": "ALPHA", "note": ""})).status_code == 303
    for nonsense in ("much", "sNaN", "NaN", "Infinity", "-1"):
        assert clerk.submit("/media/new", serial="D1", **(facts | {"capacity": nonsense})).status_code == 422, nonsense
    rows = list(csv.reader(io.StringIO(clerk.get("/media.csv").data.decode("utf-8-sig"))))
    assert [row[0] for row in rows] == ["serial", "AB 1", "C1"]
    assert (rows[1][2], rows[1][-1], rows[2][4]) == ("64000000000", "'=cmd()", "Alpha")
    assert "AB 1" in clerk.get("/media?q=b-1").text or "AB 1" in clerk.get("/media?q=ab1").text
    assert "AB 1" not in clerk.get("/media?state=lost").text
    medium = depot.medium_now("AB 1")
    page = f"/media/{medium.id}"
    assert clerk.submit(f"{page}/state", page=page, state="lost", reason="gone", proof="").status_code == 422
    lost = clerk.submit(
        f"{page}/state", page=page, state="lost", reason="gone", proof="", file=(io.BytesIO(PNG), "a.png")
    )
    assert lost.status_code == 303
    assert clerk.get(f"{page}/proofs/2").data == PNG
    assert clerk.submit(f"{page}/state", page=page, state="in-stock", reason="found", proof="").status_code == 303
    assert clerk.submit(f"{page}/state", page=page, state="destroyed", reason="old", proof="act 1").status_code == 303
    assert "act 1" in clerk.get(page).text
    assert depot.medium_now("AB 1").state is MediumState.DESTROYED


def test_carriers(depot, clerk):
    facts = {"name": "DHL", "tracking_url": "javascript:alert(1)", "phone": ""}
    assert clerk.submit("/carriers/new", **facts).status_code == 422
    assert clerk.submit("/carriers/new", **(facts | {"tracking_url": ""})).status_code == 303
    assert clerk.submit("/carriers/new", **(facts | {"tracking_url": ""})).status_code == 422
    page = f"/carriers/{depot.carrier_id}"
    assert clerk.submit(page, name="Post", tracking_url="https://p.example/{tracking}", phone="1").status_code == 303
    assert "Post" in clerk.get("/carriers").text
    with depot.sessions() as session:
        last = session.scalars(select(AuditEvent).where(AuditEvent.tag == Tag.CARRIER_SAVE)).all()[-1]
    assert last.facts["tracking_url"] == "https://p.example/{tracking}"


def test_a_customer_sees_its_own_parcels_and_no_media(depot):
    delivery, other = depot.dispatched("A1"), depot.approved()
    page = f"/couriers/{delivery.id}"
    own, stranger = depot.world.of("alpha"), depot.world.of("beta")
    shown = own.get(page).text
    assert "post.example" in shown
    assert "/media/" not in shown
    assert "/r?number=" in shown
    assert delivery.number in own.get("/couriers").text
    assert other.number not in own.get("/couriers").text
    assert own.get("/media").status_code == 403
    assert stranger.get(page).status_code == 404
    assert delivery.number not in stranger.get("/couriers").text
    for address in (f"{page}/lost", f"{page}/papers/packing.pdf", "/carriers", "/media/new"):
        assert own.get(address).status_code == 403
        assert depot.portal.browser().get(address).status_code == 303


def test_every_state_has_its_page_for_both_sides(depot, clerk):
    own = depot.world.of("alpha")
    stopped = depot.dispatched("S1")
    found = Difference(IncidentKind.OTHER, "Olga", text="wet")
    depot.do(incidents.report, stopped.id, found, base_url="")
    for state in DeliveryState:
        with depot.sessions.begin() as session:
            session.get_one(Delivery, stopped.id).state = state
        for browser in (clerk, own):
            assert browser.get(f"/couriers/{stopped.id}").status_code == 200
        with depot.sessions.begin() as session:
            session.get_one(Delivery, stopped.id).stopped_at = None
    assert KIT in clerk.get(f"/couriers/{stopped.id}").text
