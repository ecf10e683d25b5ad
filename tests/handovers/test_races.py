"""Two clerks with the same delivery, and one signature that arrives twice at once: one wins, the other is told."""

import threading

from portal.authority.codes import Checked
from portal.errors import PortalError
from portal.handovers import opening, signing
from portal.handovers.models import DocumentKind
from portal.handovers.opening import Opening
from portal.handovers.signing import Desk, Given, Hand
from tests.handovers.conftest import png


def at_once(*acts):
    """Run them in threads that start together; what each answers or raises."""
    gate, answers = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place, act):
        gate.wait()
        try:
            answers[place] = act()
        except PortalError as error:
            answers[place] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_of_two_clerks_one_opens_the_act(world):
    world.ask("one", "ivan")
    world.ask("two", "ivan")
    world.prepare("one", "two")
    at, ids = world.portal.clock(), world.deliveries

    def by(who, *names):
        said = Opening(tuple(ids[name] for name in names), DocumentKind.PASSPORT, "4821", "Hall", is_compared=True)
        clerk = world.actor(who)

        def open_one():
            with world.portal.sessions.begin() as session:
                return opening.open_act(session, said, by=clerk, at=at).number

        return open_one

    answers = at_once(by("dispatcher", "one", "two"), by("second dispatcher", "two", "one"))
    [won] = [answer for answer in answers if isinstance(answer, str)]
    [lost] = [answer for answer in answers if not isinstance(answer, str)]
    [act] = world.acts()
    assert (won, lost.code) == (act.number, "delivery-in-another-act")
    assert act.number in str(lost)
    assert act.handed_by_name in str(lost)
    assert world.kinds("one").count("identity-checked") == 1
    page = world.of("second dispatcher").get(f"/handovers/check?delivery={ids['one']}")
    assert page.status_code == 409
    assert f"/handovers/acts/{act.id}" in page.text


def test_a_signature_that_arrives_twice_at_once_is_one(world):
    world.ask("one", "ivan")
    act = world.opened("one")
    code, clerk, at = world.send_code(act), world.actor("dispatcher"), world.portal.clock()
    desk = Desk(world.portal.store, world.portal.resources.config.secret_key)

    def sign(picture):
        given = Given(act.submission, act.text_sha256, code, Hand(picture))

        def run():
            with world.portal.sessions.begin() as session:
                return signing.sign(session, act.id, given, desk=desk, by=clerk, at=at)

        return run

    same = at_once(sign(png()), sign(png()), sign(png()))
    assert not [answer for answer in same if isinstance(answer, (PortalError, Checked))]
    [late] = at_once(sign(png(200, 50)))
    assert late.code == "act-not-open"
    kinds = world.kinds("one")
    assert (kinds.count("delivered"), kinds.count("acknowledged"), kinds.count("code-right")) == (1, 1, 1)
