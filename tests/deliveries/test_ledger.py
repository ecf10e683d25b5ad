"""The ledger's pages and API, who sees what, races, and what follows a withdrawal."""

import csv
import io
import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import event, func, select

from portal.audit.models import AuditEvent
from portal.config import Downloads
from portal.deliveries import service
from portal.deliveries.chain import first_bad
from portal.deliveries.errors import StepOutOfOrder
from portal.deliveries.models import Delivery, DeliveryItem
from portal.deliveries.service import Taking
from portal.deliveries.spans import MOST_SPANS, merged
from portal.deliveries.states import TRANSITIONS, Channel, DeliveryState
from portal.entitlements.models import ReceivedRelease
from portal.jobs import service as jobs
from portal.mail.models import OutgoingMail
from portal.releases.models import Artifact, ArtifactRole, Release
from portal.web.byte_ranges import Span
from portal.web.spreadsheets import neutral
from tests.deliveries.conftest import CONTENT, NAME
from tests.factories import make_published, make_release

SIZE = len(CONTENT)


@pytest.fixture
def delivered(world):
    """Alpha has the file, Beta nothing."""
    world.get("alpha")
    [delivery] = world.deliveries()
    return delivery


def test_a_customer_sees_its_own_deliveries_and_nobody_elses(world, delivered):
    assert NAME in world.of("alpha").get("/deliveries").text
    assert NAME in world.of("alpha-2").get("/deliveries").text
    nothing = world.of("beta").get("/deliveries").text
    assert NAME not in nothing
    assert "Nothing was delivered yet." in nothing
    assert NAME in world.of("publisher").get("/deliveries").text
    assert "Alpha" in world.of("publisher").get("/deliveries").text


def test_another_customers_delivery_is_404_everywhere(world, delivered):
    page, api = f"/deliveries/{delivered.id}", f"/api/v1/deliveries/{delivered.id}"
    for address in (page, api, f"/deliveries/{uuid4()}"):
        assert world.of("beta").get(address).status_code == 404
    body = {"sha256": world.items()[0].sha256}
    assert world.portal.browser().post(f"{api}/confirm", json=body, headers=world.bearing("beta")).status_code == 404
    assert world.portal.browser().post(f"{api}/confirm", headers=world.bearing("beta")).status_code == 404
    form = world.of("beta").submit(f"{page}/confirm", page="/deliveries")
    assert form.status_code == 404
    assert (
        world.portal.browser().get("/api/v1/deliveries", headers=world.bearing("beta")).get_json()["deliveries"] == []
    )
    assert world.deliveries()[0].state is DeliveryState.DELIVERED


def test_nobody_sees_anything(world, delivered):
    for address in ("/deliveries", f"/deliveries/{delivered.id}", f"/deliveries/holders/{world.release_id}"):
        assert world.portal.browser().get(address).status_code == 303
    assert world.portal.browser().get("/api/v1/deliveries").status_code == 401


def test_the_list_is_narrowed(world, delivered):
    alpha, staff = world.of("alpha"), world.of("publisher")
    for found in ("ПРОШИВКА", "router", "4.10", "anna"):
        assert NAME in alpha.get("/deliveries", query_string={"q": found}).text
    for lost in ("second", "%", "_x", "4.1_"):
        assert "Nothing was delivered that fits." in alpha.get("/deliveries", query_string={"q": lost}).text
    assert NAME in alpha.get("/deliveries?state=delivered").text
    assert NAME not in alpha.get("/deliveries?state=dispatched").text
    assert NAME in alpha.get("/deliveries?state=nonsense&customer=nonsense").text
    assert NAME in staff.get(f"/deliveries?customer={world.alpha.id}").text
    assert NAME not in staff.get(f"/deliveries?customer={world.beta.id}").text


def test_the_page_tells_the_basis_the_events_and_what_is_missing(world, delivered):
    text = world.of("alpha").get(f"/deliveries/{delivered.id}").text
    for words in ("Contract in force", "17-ALPHA", "All bytes have left the portal", "127.0.0.1", "has not confirmed",
                  world.items()[0].sha256, "I have verified this file", "intact"):  # fmt: skip
        assert words in text
    browser = world.of("alpha-2")
    browser.submit("/language/ru", page="/deliveries")
    text = browser.get(f"/deliveries/{delivered.id}").text
    for words in ("17-ALPHA", "ещё не подтвердил", "Портал отправил все байты"):
        assert words in text


def test_a_running_download_says_how_far_it_is(world):
    world.get("alpha", Range=f"bytes=0-{SIZE // 2 - 1}")
    [delivery] = world.deliveries()
    assert "50 % sent" in world.of("alpha").get("/deliveries").text
    text = world.of("alpha").get(f"/deliveries/{delivery.id}").text
    assert f"{SIZE // 2} bytes have not left the portal yet." in text


def test_the_right_digest_confirms(world, delivered):
    answer = confirm(world, delivered, world.items()[0].sha256.upper())
    assert answer.status_code == 200
    assert answer.get_json()["state"] == "acknowledged"
    assert answer.get_json()["missing"] == []
    assert confirm(world, delivered, world.items()[0].sha256).status_code == 200
    assert world.kinds() == ["granted", "transferred", "confirmed"]
    assert first_bad(world.events()) is None
    with world.portal.sessions() as session:
        assert session.scalar(select(func.count()).where(AuditEvent.tag == "delivery.confirmed")) == 1


def test_a_wrong_digest_is_refused_recorded_and_no_receipt(world, delivered):
    for digest in ("0" * 64, "nonsense"):
        answer = confirm(world, delivered, digest)
        assert (answer.status_code, answer.get_json()["code"]) == (422, "digest-differs")
    assert world.deliveries()[0].state is DeliveryState.DELIVERED
    assert world.kinds() == ["granted", "transferred", "digest-differs", "digest-differs"]
    assert world.events()[2].evidence == {"expected": world.items()[0].sha256, "told": "0" * 64}
    for _ in range(30):
        confirm(world, delivered, "1" * 64)
    assert world.kinds().count("digest-differs") == service.MOST_WRONG_DIGESTS


@pytest.mark.parametrize("body", [None, [], {}, {"sha256": 1}, {"sha256": ""}, {"sha256": None}, "text"])
def test_a_senseless_confirmation_is_refused(world, delivered, body):
    answer = world.portal.browser().post(
        f"/api/v1/deliveries/{delivered.id}/confirm", json=body, headers=world.bearing("alpha")
    )
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid-input")
    assert world.kinds() == ["granted", "transferred"]


def test_the_button_confirms_and_then_is_gone(world, delivered):
    page = f"/deliveries/{delivered.id}"
    wrong = world.of("alpha").submit(f"{page}/confirm", page=page, sha256="f" * 64)
    assert wrong.status_code == 422
    assert "do not install it" in wrong.text
    assert world.of("alpha").submit(f"{page}/confirm", page=page, sha256="").status_code == 303
    assert world.deliveries()[0].state is DeliveryState.ACKNOWLEDGED
    assert world.events()[-1].evidence == {"statement": "verified"}
    text = world.of("alpha").get(page).text
    assert "I have verified this file</" not in text
    assert "Nothing: the receipt is confirmed." in text


def test_a_word_alone_does_not_confirm_what_has_not_been_sent(world):
    world.get("alpha", Range="bytes=0-9")
    page = f"/deliveries/{world.deliveries()[0].id}"
    answer = world.of("alpha").submit(f"{page}/confirm", page=page, sha256="")
    assert answer.status_code == 409
    assert world.deliveries()[0].state is DeliveryState.DISPATCHED


def test_staff_does_not_confirm_for_a_customer(world, delivered):
    page = f"/deliveries/{delivered.id}"
    assert "I have verified" not in world.of("publisher").get(page).text
    assert world.of("publisher").submit(f"{page}/confirm", page=page).status_code == 403


def test_holders_are_shown_to_staff_and_kept_from_customers(world, delivered):
    address = f"/deliveries/holders/{world.release_id}"
    text = world.of("publisher").get(address).text
    assert "Alpha" in text
    assert "Anna Alpha" in text
    assert "Beta" not in text
    for forbidden in (address, f"{address}.csv"):
        assert world.of("alpha").get(forbidden).status_code == 403
    assert world.of("publisher").get(f"/deliveries/holders/{uuid4()}").status_code == 404


def test_the_table_of_holders_holds_no_formula(world, delivered):
    world.change((Delivery, delivered.id), person_name='=HYPERLINK("http://x")')
    answer = world.of("publisher").get(f"/deliveries/holders/{world.release_id}.csv")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    [row] = csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert row["person"] == '\'=HYPERLINK("http://x")'
    assert (row["customer"], row["file"], row["state"]) == ("ALPHA", NAME, "delivered")
    assert row["transferred"].startswith("2026-03-10T12:00:00")
    assert row["confirmed"] == ""


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\t=1", " =1", "＝1"])
def test_cells_that_look_like_formulas_are_made_text(cell):
    assert neutral(cell) == "'" + cell
    assert neutral("a" + cell) == "a" + cell


def test_the_api_lists_page_by_page(world, delivered):
    answer = world.get("alpha", "/api/v1/deliveries").get_json()
    [one] = answer["deliveries"]
    assert (one["state"], one["version"], one["customer"]) == ("delivered", "4.10", "ALPHA")
    assert one["files"][0]["sent_ranges"] == [[0, SIZE]]
    assert one["missing"] == ["not-confirmed"]
    assert answer["next"] is None
    whole = world.get("alpha", f"/api/v1/deliveries/{delivered.id}").get_json()
    assert [step["kind"] for step in whole["events"]] == ["granted", "transferred"]
    assert whole["decision"]["basis"] == "active-contract"
    assert world.get("alpha", "/api/v1/deliveries?page=2").get_json()["deliveries"] == []


@pytest.mark.parametrize(("who", "address"), [("alpha", "/deliveries"), ("publisher", "/deliveries"),
                                              ("publisher", "/deliveries/holders/{release}")])  # fmt: skip
def test_a_list_costs_the_same_however_long_it_is(world, delivered, who, address):
    address = address.format(release=world.release_id)
    browser = world.of(who)
    browser.get(address)
    few = statements(world, lambda: browser.get(address))
    copies(world, delivered, 60)
    many = statements(world, lambda: browser.get(address))
    assert len(many) == len(few)
    assert len(many) <= 8, "\n".join(many)
    assert "page=2" in browser.get(address).text


def test_sixteen_connections_at_once_begin_one_delivery(world):
    """Real sessions, all at the same moment; then each reports its piece."""
    by, piece = world.actor("alpha"), SIZE // 16
    barrier, failures = threading.Barrier(16), []

    def take(number):
        span = Span(number * piece, (number + 1) * piece)
        try:
            with world.portal.sessions() as session:
                artifact = session.get_one(Artifact, world.artifact_id)
                release = session.get_one(Release, artifact.release_id)
                decision = service.require_entitled(session, release, by=by, at=world.portal.clock())
                session.expunge_all()
            taking = Taking(artifact, decision, span, Downloads.PORTAL, "test")
            barrier.wait()
            with world.portal.sessions.begin() as session:
                delivery_id = service.issue(session, taking, by=by, at=world.portal.clock())
            barrier.wait()
            with world.portal.sessions.begin() as session:
                service.record_sent(session, delivery_id, span, by=by, at=world.portal.clock())
        except Exception as error:  # noqa: BLE001 - whatever it is, the test tells
            failures.append(error)
            barrier.abort()

    threads = [threading.Thread(target=take, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    [delivery] = world.deliveries()
    assert delivery.state is DeliveryState.DELIVERED
    [item] = world.items()
    assert (item.sent["ranges"], item.sent["requests"]) == ([[0, SIZE]], 16)
    assert world.kinds() == ["granted", "transferred"]
    assert first_bad(world.events()) is None


def test_a_data_sheet_alone_is_no_backup_of_the_software(world):
    world.change((Artifact, world.artifact_id), role=ArtifactRole.DOCUMENT)
    world.get("alpha")
    assert world.deliveries()[0].state is DeliveryState.DELIVERED
    with world.portal.sessions() as session:
        assert session.scalars(select(ReceivedRelease)).all() == []


def test_bytes_that_another_server_sends_are_issued_and_confirmed_by_digest(world):
    by = world.actor("alpha")
    with world.portal.sessions.begin() as session:
        artifact = session.get_one(Artifact, world.artifact_id)
        release = session.get_one(Release, artifact.release_id)
        decision = service.require_entitled(session, release, by=by, at=world.portal.clock())
        taking = Taking(artifact, decision, None, Downloads.PRESIGNED, "test")
        service.issue(session, taking, by=by, at=world.portal.clock())
    [delivery] = world.deliveries()
    assert delivery.state is DeliveryState.DISPATCHED
    text = world.of("alpha").get(f"/deliveries/{delivery.id}").text
    assert "whether they arrived is not known" in text
    assert "the object store" in text
    assert confirm(world, delivery, world.items()[0].sha256).get_json()["state"] == "acknowledged"
    with world.portal.sessions() as session:
        assert session.scalars(select(ReceivedRelease.release_id)).all() == [world.release_id]


def test_a_withdrawal_is_told_once_to_everybody_who_has_the_release(world, delivered):
    with world.portal.sessions.begin() as session:
        replacement = make_release(session, session.merge(world.product), "4.11")
        long_out = world.portal.clock() - timedelta(days=30)  # or it were news itself
        make_published(world.portal.resources, session, replacement, at=long_out)
    world.withdraw(reason="It bricks\nthe device.", replacement=replacement)
    for _ in range(2):
        with world.portal.sessions.begin() as session:
            jobs.enqueue(session, "releases.withdrawn", at=world.portal.clock(), release_id=str(world.release_id))
        world.portal.work()
    with world.portal.sessions() as session:
        letters = {letter.recipient: letter for letter in session.scalars(select(OutgoingMail))}
    assert set(letters) == {world.people["alpha"].email, world.people["alpha-2"].email}
    english, russian = letters[world.people["alpha"].email], letters[world.people["alpha-2"].email]
    assert english.subject == "Withdrawn: Router R1 4.10"
    for words in ("Anna Alpha", "It bricks\nthe device.", "Use 4.11 instead.", "/recalls/", "2026-03-10"):
        assert words in english.text
    assert russian.subject == "Отозвано: Router R1 4.10"
    assert "4.11" in russian.text
    assert len(world.portal.mails()) == 2


def test_whoever_only_began_is_told_too_and_a_disabled_person_is_not(world):
    world.get("alpha", Range="bytes=0-9")
    world.change((type(world.people["alpha-2"]), world.people["alpha-2"].id), disabled_at=datetime.now(UTC))
    world.withdraw()
    with world.portal.sessions.begin() as session:
        jobs.enqueue(session, "releases.withdrawn", at=world.portal.clock(), release_id=str(world.release_id))
    world.portal.work()
    with world.portal.sessions() as session:
        letters = session.scalars(select(OutgoingMail)).all()
    assert [letter.recipient for letter in letters] == [world.people["alpha"].email]
    assert "There is no replacement yet" in letters[0].text


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("state", DeliveryState)
def test_a_step_that_makes_no_sense_is_refused(channel, state):
    for wanted in DeliveryState:
        delivery = Delivery(channel=channel, state=state)
        if wanted in TRANSITIONS[channel].get(state, ()):
            delivery._become(wanted)
            assert delivery.state is wanted
        else:
            with pytest.raises(StepOutOfOrder) as refused:
                delivery._become(wanted)
            assert refused.value.code == "delivery-step-out-of-order"
            assert delivery.state is state


def test_every_channel_ends_in_a_confirmed_receipt_and_nothing_follows_it():
    for steps in TRANSITIONS.values():
        assert DeliveryState.ACKNOWLEDGED in set().union(*steps.values())
        assert DeliveryState.ACKNOWLEDGED not in steps
        assert DeliveryState.CANCELLED not in steps


@pytest.mark.parametrize(
    ("spans", "whole"),
    [
        ([], []),
        ([(0, 0)], []),
        ([(0, 5), (5, 9)], [(0, 9)]),
        ([(5, 9), (0, 5)], [(0, 9)]),
        ([(0, 5), (6, 9)], [(0, 5), (6, 9)]),
        ([(0, 9), (2, 3)], [(0, 9)]),
        ([(2, 3), (0, 9), (8, 12)], [(0, 12)]),
    ],
)
def test_ranges_are_merged(spans, whole):
    assert [(s.start, s.end) for s in merged(Span(*pair) for pair in spans)] == whole


def test_holes_without_number_are_not_remembered_without_number():
    many = [Span(number * 10, number * 10 + 1) for number in range(MOST_SPANS * 2)]
    longest = Span(5 * 10**6, 6 * 10**6)
    kept = merged([*many, longest])
    assert len(kept) == MOST_SPANS
    assert longest in kept
    assert kept == sorted(kept, key=lambda span: span.start)


def confirm(world, delivery, digest):
    return world.portal.browser().post(
        f"/api/v1/deliveries/{delivery.id}/confirm", json={"sha256": digest}, headers=world.bearing("alpha")
    )


def copies(world, delivery, count):
    """More deliveries like that one, of earlier hours."""
    with world.portal.sessions.begin() as session:
        for number in range(count):
            facts = {column.key: getattr(delivery, column.key) for column in Delivery.__table__.columns}
            copy = Delivery(**facts | {"id": uuid4(), "created_at": delivery.created_at - timedelta(hours=number + 1)})
            session.add(copy)
            session.flush()
            session.add(
                DeliveryItem(delivery_id=copy.id, artifact_id=world.artifact_id, size_bytes=SIZE, sha256="0" * 64)
            )


def statements(world, action):
    seen = []

    def note(*arguments):
        if arguments[2].startswith("SELECT"):
            seen.append(arguments[2])

    event.listen(world.portal.resources.engine, "before_cursor_execute", note)
    action()
    event.remove(world.portal.resources.engine, "before_cursor_execute", note)
    return seen
