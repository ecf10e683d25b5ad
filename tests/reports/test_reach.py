"""From publication to notice and installation: figures against histories written by hand."""

from datetime import timedelta

from portal.deliveries.models import Delivery
from portal.deliveries.states import Channel, DeliveryState
from portal.notices.models import Occasion, ReleaseNotice
from portal.releases.models import ReleaseAudience, ReleaseState
from portal.reports import reach
from portal.reports.reach import Notice, Spread
from portal.tickets.models import TicketFix
from portal.updates.models import UpdateRequest
from portal.updates.states import Origin, Way
from tests.portals import START
from tests.reports.conftest import utc


def days(*numbers):
    return sorted(timedelta(days=number) for number in numbers)


def deliver(session, world, release, day):
    session.add(Delivery(channel=Channel.DOWNLOAD, state=DeliveryState.DELIVERED, organisation_id=world.beta.id,
                         release_id=release.id, person_name="x", created_at=utc(day), decision={}))  # fmt: skip


def test_what_became_of_each_release(world):
    at = START
    with world.portal.sessions.begin() as session:
        one = world.release(session, "4.9", "2026-02-01")
        two = world.release(session, "4.10", "2026-02-11")
        gone = world.release(session, "4.11", "2026-02-21", state=ReleaseState.WITHDRAWN, withdrawn_at=START)
        pilot = world.release(session, "5.0", "2026-03-01", open_from=None)
        session.add(ReleaseAudience(release_id=pilot.id, organisation_id=world.beta.id, opens_at=utc("2026-03-01")))
        # Alpha
        world.device(session, "alpha", ("2025-06-01", "4.8"), ("2026-02-03", "4.9"))  # waits for 4.10
        world.device(session, "alpha", ("2025-06-01", "4.8"), ("2026-02-15", "4.10"))  # past 4.9 at one step
        world.device(session, "alpha", ("2025-06-01", "4.8"), ("2026-02-05", "4.9"), ("2026-02-06", "4.8"),
                     ("2026-02-12", "4.9"))  # fmt: skip # went back and came again: the first time counts
        world.device(session, "alpha", ("2025-06-01", "4.8"), ("2026-01-20", "4.9"))  # before it was published
        world.device(session, "alpha", ("2025-06-01", "4.8"))  # waits for both
        world.device(session, "alpha", ("2025-06-01", "4.8"), removed=True)  # waits for nothing any more
        world.device(session, "alpha", ("2025-06-01", ""), ("2026-02-20", "4.10"))  # nobody knows from what
        world.device(session, "alpha", ("2026-02-10", "4.8"), ("2026-02-14", "4.9"))  # came on record after publication
        world.device(session, "alpha", ("2026-02-10", "4.10"))  # arrived with it
        # Beta
        world.device(session, "beta", ("2025-06-01", "4.8"), ("2026-02-02", "4.9"), ("2026-03-04", "5.0"))
        ticket = world.ticket(session, "alpha", "2026-01-05", answer=5)
        session.add(TicketFix(ticket_id=ticket.id, release_id=one.id, told_at=utc("2026-02-01T00:30")))
        session.add(UpdateRequest(
            number="U-1", organisation_id=world.alpha.id, release_id=two.id, origin=Origin.AGREED, way=Way.REMOTE,
            time_zone="UTC", created_at=utc("2026-02-13"), created_by_name="x",
        ))  # fmt: skip
        for occasion, when in ((Occasion.CORRECTED, "2026-02-21T00:01"), (Occasion.PUBLISHED, "2026-02-21T00:10")):
            session.add(ReleaseNotice(release_id=gone.id, organisation_id=world.beta.id, occasion=occasion,
                                      told_at=utc(when), people=1))  # fmt: skip
        deliver(session, world, one, "2026-02-05")
        deliver(session, world, one, "2026-02-04")
        deliver(session, world, pilot, "2026-02-27")  # a pilot had it before it was out
    ids = {one.id: "4.9", two.id: "4.10", gone.id: "4.11", pilot.id: "5.0"}
    with world.portal.sessions() as session:

        def seen(who):
            some = session.scalars(reach.releases("", visible_to=world.actors[who], at=at)).all()
            with world.statements() as asked:
                found = reach.reaches(session, some, visible_to=world.actors[who], at=at)
            assert len(asked) == 5
            return {
                (ids[release_id], each.organisation.code): (
                    each.told and (each.told[1], each.notice), sorted(each.installed), each.waiting
                )
                for release_id, rows in found.items() for each in rows
            }  # fmt: skip

        alphas = {
            ("4.9", "ALPHA"): ((Notice.LETTER, timedelta(minutes=30)), days(2, 14, 4, 4), 1),
            ("4.10", "ALPHA"): ((Notice.UPDATE, timedelta(days=2)), days(4), 5),
        }
        betas = {
            ("4.9", "BETA"): ((Notice.DELIVERY, timedelta(days=3)), days(1), 0),
            ("4.10", "BETA"): (None, days(21), 0),
            ("4.11", "BETA"): ((Notice.NEWS, timedelta(minutes=10)), days(11), 0),
            ("5.0", "BETA"): ((Notice.DELIVERY, timedelta(0)), days(3), 0),
        }
        assert seen("tsc") == {**alphas, **betas}
        assert seen("alpha") == alphas
        assert seen("beta") == betas
        shown = reach.get(session, one.id, visible_to=world.actors["tsc"], at=at)
        found = reach.reaches(session, [shown], visible_to=world.actors["tsc"], at=at)
    whole = reach.whole(found[one.id])
    assert whole == reach.Whole(2, Spread(2, timedelta(days=1, hours=12, minutes=15), timedelta(days=3)),
                                Spread(5, timedelta(days=4), timedelta(days=14)), 1)  # fmt: skip
    pages = world.of("alpha"), world.of("beta"), world.of("tsc")
    assert [page.get(f"/reports/releases/{pilot.id}").status_code for page in pages] == [404, 200, 200]
    for address in ("/reports/releases", f"/reports/releases/{one.id}", "/reports/releases.csv"):
        alpha, _, staff = (page.get(address) for page in pages)
        assert "Beta Net" not in alpha.text
        assert "BETA" not in alpha.text
        assert staff.status_code == 200
    assert "Beta Net" in pages[2].get(f"/reports/releases/{one.id}").text
    assert "BETA" in pages[2].get("/reports/releases.csv").text
    assert "5.0" not in pages[0].get("/reports/releases").text


def test_a_middle_of_nothing_is_nothing():
    assert reach.spread([]) == Spread(0, None, None)
    assert reach.spread(days(1, 2, 10, 4)) == Spread(4, timedelta(days=3), timedelta(days=10))
