"""The receipt as its holder sees it: no sign-in, a one-time code by letter, a signature; attacks on it."""

import hashlib
import io
import re
from email import message_from_string, policy

import pytest

from portal.couriers.states import IncidentKind
from portal.deliveries.states import DeliveryState
from portal.documents.codes import digest_words
from tests.couriers.conftest import KIT
from tests.handovers.conftest import data_url, png

PNG = png()
DRAWN = data_url(PNG)
RIGHT = {"serial": "A1", "seal": "SEAL-A1", "digest": "", "name": "Ольга Королева", "signature": DRAWN}


@pytest.fixture
def holder(depot):
    """Somebody with the papers in hand, who never signed in."""
    return depot.portal.browser()


@pytest.fixture
def parcel(depot):
    return depot.dispatched("A1")


def address(depot, parcel):
    return f"/r/{depot.secret(parcel)}"


def code_of(depot, holder, page):
    assert holder.submit(f"{page}/code", page=page).status_code == 303
    depot.portal.work()
    found = [re.search(r"\s(\d{6})\s", decoded(letter)) for letter in depot.portal.mails()]
    return [match for match in found if match][-1].group(1)


def decoded(letter: str) -> str:
    return message_from_string(letter, policy=policy.default).get_body(("plain",)).get_content()


def test_a_receipt_in_full(depot, holder, parcel):
    page = address(depot, parcel)
    shown = holder.get(page)
    assert 'lang="ru"' in shown.text
    assert " ".join(digest_words(KIT, "ru")) in shown.text
    assert 'value="A1"' not in shown.text
    assert shown.headers["Referrer-Policy"] == "strict-origin"
    code = code_of(depot, holder, page)
    slip = holder.submit(page, **(RIGHT | {"code": code, "serial": "A2"}))
    assert slip.status_code == 422
    assert depot.now(parcel).state is DeliveryState.DISPATCHED
    assert holder.submit(page, **(RIGHT | {"code": code})).status_code == 303
    assert depot.now(parcel).state is DeliveryState.ACKNOWLEDGED
    assert holder.submit(page, page="/r", **(RIGHT | {"code": code})).status_code == 303
    kinds = depot.kinds(parcel)
    assert kinds[-5:] == ["receipt-opened", "code-sent", "code-right", "delivered", "acknowledged"]
    assert "Ольга Королева" in holder.get(page).text
    staff = depot.world.of("dispatcher")
    assert staff.get(f"/couriers/{parcel.id}/signature").data == PNG
    evidence = depot.events(parcel)[-1].evidence
    assert evidence["signature"]["drawn"]
    assert evidence["code_confirmed_at"]


def test_a_name_typed_in_place_of_a_drawing(depot, holder, parcel):
    page = address(depot, parcel)
    code = code_of(depot, holder, page)
    assert holder.submit(page, **(RIGHT | {"code": code, "signature": ""})).status_code == 422
    typed = RIGHT | {"code": code, "signature": "", "is_typed": "y"}
    assert holder.submit(page, **typed).status_code == 303
    assert depot.events(parcel)[-1].evidence["signature"]["drawn"] is False
    text = depot.world.of("dispatcher").get(f"/couriers/{parcel.id}/signature").data.decode()
    assert text == "Ольга Королева"


def test_what_proves_the_receipt_is_the_customers_own(depot, holder, parcel):
    page, clerk = f"/couriers/{parcel.id}", depot.world.of("dispatcher")
    brought = {"happened_at": depot.at.strftime("%Y-%m-%dT%H:%M"), "proof": "", "file": (io.BytesIO(PNG), "slip.png")}
    assert clerk.submit(f"{page}/delivered", **brought).status_code == 303
    proof = f"{page}/proofs/{depot.events(parcel)[-1].sequence}"
    slip = address(depot, parcel)
    assert holder.submit(slip, **(RIGHT | {"code": code_of(depot, holder, slip)})).status_code == 303
    for file in (proof, f"{page}/signature"):
        assert depot.world.of("alpha").get(file).data == PNG
        assert depot.world.of("beta").get(file).status_code == 404
        assert holder.get(file).status_code == 303


WRONG = (
    {"code": "000000"},
    {"code": ""},
    {"serial": ""},
    {"seal": "SEAL-A2"},
    {"digest": "abandon " * 6},
    {"name": "Somebody Else"},
    {"name": "A\0B"},
    {"signature": "data:image/svg+xml;base64,PHN2Zy8+"},
    {"signature": "data:image/png;base64,PHN2Zy8+"},
    {"signature": "data:image/png;base64,***"},
    {"signature": "x" * 300_000},
    {"signature": data_url(png(ink=bytes(4)))},
    {"signature": data_url(png()[:-20])},
    {"signature": data_url(png()[:33])},
)


def test_what_does_not_confirm(depot, holder, parcel):
    page = address(depot, parcel)
    for facts in WRONG:
        given = RIGHT | {"code": "999999"} | facts
        assert holder.submit(page, **given).status_code == 422, facts
    assert depot.now(parcel).state is DeliveryState.DISPATCHED
    assert not any(hashlib.sha256(PNG).hexdigest() in stored.key for stored in depot.portal.store.list())


def test_a_code_is_guessed_in_vain_and_is_of_one_parcel(depot, holder, parcel):
    other = depot.dispatched("B1")
    page, others = address(depot, parcel), address(depot, other)
    code = code_of(depot, holder, others)
    assert holder.submit(page, **(RIGHT | {"code": code})).status_code == 422
    right = code_of(depot, holder, page)
    for guess in range(5):
        wrong = f"{(int(right) + 1 + guess) % 10**6:06}"
        assert holder.submit(page, **(RIGHT | {"code": wrong})).status_code == 422
    assert holder.submit(page, **(RIGHT | {"code": right})).status_code == 422
    assert depot.kinds(parcel).count("code-wrong") == 5
    for _ in range(4):
        holder.submit(f"{page}/code", page=page)
    assert holder.submit(f"{page}/code", page=page).status_code == 429


def test_the_typed_code_opens_the_same_page(depot, holder, parcel):
    found = holder.submit("/r", number=parcel.number.lower(), code=depot.code(parcel).lower())
    assert (found.status_code, found.location) == (303, address(depot, parcel))
    assert f'value="{parcel.number}"' in holder.get(f"/r?number={parcel.number}").text
    for number, code in ((parcel.number, "AAAAA-AAAAA"), ("D-999999", depot.code(parcel)), ("", ""), ("\0", "\0")):
        assert holder.submit("/r", number=number, code=code).status_code in (404, 422)
    for _ in range(10):
        last = holder.submit("/r", number=parcel.number, code="AAAAA-AAAAA")
    assert last.status_code == 429
    for guess in ("x", "0" * 64, depot.secret(parcel)[:-1] + "%00"):
        assert holder.get(f"/r/{guess}").status_code == 404


def test_a_difference_is_reported_without_a_code_and_stops_everything(depot, holder, parcel):
    page = address(depot, parcel)
    facts = {"name": "Сторож", "serial": "Z9", "seal": "", "digest": "", "text": "<b>wet</b>"}
    for kind in [*IncidentKind, *IncidentKind]:
        assert holder.submit(f"{page}/difference", page="/r", kind=kind.value, **facts).status_code == 303
    found = depot.incidents(parcel)
    assert {incident.kind for incident in found} == set(IncidentKind)
    assert {(incident.seen["serial"], incident.opened_by) for incident in found} == {("Z9", "Сторож")}
    assert len(found) == len(IncidentKind)
    assert depot.now(parcel).stopped_at is not None
    depot.portal.work()
    told = [decoded(letter) for letter in depot.portal.mails()]
    assert any(f"/couriers/{parcel.id}" in letter and "<b>wet</b>" in letter for letter in told)
    code = holder.submit(page, page="/r", **(RIGHT | {"code": "1"}))
    assert code.status_code in (409, 422)
    assert depot.now(parcel).state is DeliveryState.DISPATCHED


def test_a_receipt_before_dispatch_and_after_the_end_is_shut(depot, holder):
    early = depot.prepared("C1")
    page = address(depot, early)
    assert holder.get(page).status_code == 200
    assert holder.submit(f"{page}/code", page="/r").status_code == 409
    assert holder.get(f"{page}/difference").status_code == 303


def test_nobody_is_asked_to_sign_in(depot, parcel):
    browser = depot.portal.browser()
    page = address(depot, parcel)
    for path in ("/r", page, f"{page}/difference"):
        assert browser.get(path).status_code == 200
    assert browser.post(page, data=RIGHT).status_code == 400
