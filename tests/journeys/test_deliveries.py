"""A real release by each channel, from the request to an acknowledged receipt and an evidence pack, in Russian.

Letters go through a real SMTP server and are read from there. Skips where the real files are not at hand.
"""

import hashlib
import re
import subprocess
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from portal.accounts.models import Organisation
from portal.couriers import cli as media_cli
from portal.couriers import slips
from portal.couriers.models import Consignment
from portal.deliveries.models import Delivery
from portal.evidence.verifying import verify
from portal.permissions import OrganisationKind, Role
from tests.factories import (
    make_address,
    make_artifact,
    make_organisation,
    make_person,
    make_product,
    make_published,
    make_recipient,
    make_release,
)
from tests.journeys.conftest import DESKTOP, PHONE, Mailbox, Running, Walker, Walkers
from tests.journeys.test_handovers import draw
from tests.worlds import make_contract

pytestmark = pytest.mark.browser
REAL = Path(__file__).parents[3] / "shared" / "real" / "ovmf" / "2025.02"
IMAGE = "OVMF_CODE_4M.fd"
TABLET = {"width": 768, "height": 1024}
MAIN_BUTTON = "main form input[type=submit], main form button.btn-primary"


@pytest.fixture
def running(writing: Running) -> Running:
    return writing


class Desk:
    """A customer, its recipient, a dispatcher, and a real release that the customer may take."""

    def __init__(self, running: Running, walker: Walkers, mailbox: Mailbox) -> None:
        self.portal, self.mailbox = running.portal, mailbox
        resources, at = running.portal.resources, running.portal.clock()
        with self.portal.sessions.begin() as session:
            make_organisation(session, OrganisationKind.VENDOR, name="Вендор")
            centre = make_organisation(session, OrganisationKind.SUPPORT, name="ЦТП")
            customer = make_organisation(session, name="Оператор связи", code="OPERATOR", time_zone="Europe/Moscow")
            dispatcher = make_person(session, centre, Role.DISPATCHER, name="Дина Отправкина", language="ru")
            manager = make_person(session, customer, Role.CUSTOMER_MANAGER, name="Мария Главная", language="ru")
            product = make_product(session, name="OVMF", code="ovmf")
            release = make_release(session, product, "2025.02")
            release.open_from = at
            self.content = (REAL / IMAGE).read_bytes()
            make_artifact(session, resources.store, release, IMAGE, self.content)
            make_artifact(session, resources.store, release, "changelog.txt", (REAL / "changelog.txt").read_bytes())
            make_published(resources, session, release, at=at)
            make_contract(session, customer, product, starts_on=at.date().replace(day=1), number="17-204")
            make_address(session, customer, label="Склад", lines=["ул. Связи, 1", "Москва, 101000"], country="RU")
            self.release_id, self.organisation_id = release.id, customer.id
        self.dispatcher = walker(dispatcher.email, language="ru", viewport=TABLET)
        self.manager = walker(manager.email, language="ru", viewport=DESKTOP)
        self.emails = {"dispatcher": dispatcher.email, "manager": manager.email}

    def recipient(self, name: str) -> str:
        """Somebody whose power of attorney is confirmed; the e-mail address."""
        with self.portal.sessions.begin() as session:
            customer = session.get_one(Organisation, self.organisation_id)
            return make_recipient(session, customer, name=name, language="ru").email

    def ask(self, channel: str, name: str, *, address: bool = False) -> Delivery:
        """The manager asks for the release on the page."""
        page = self.manager.page
        self.manager.go(f"/deliveries/new?release={self.release_id}")
        page.locator(f"input[name=channel][value={channel}]").check()
        page.locator("label.choice", has_text=name).locator("input[name=recipient]").check()
        if address:
            page.locator("label.choice", has_text="ул. Связи, 1").locator("input[name=address]").check()
        self.manager.check()
        page.locator("#ask button.btn-primary").click()
        page.wait_for_url(lambda url: "/deliveries/new" not in url)
        self.work()
        return self.newest()

    def approve(self, delivery: Delivery) -> None:
        """The dispatcher finds it on the board and lets it go."""
        page = self.dispatcher.page
        self.dispatcher.go("/deliveries/board")
        page.get_by_role("link", name=delivery.number).click()
        self.dispatcher.check()
        page.locator(f"form[action$='/{delivery.id}/approve'] button").click()
        page.wait_for_load_state()
        assert self.state(delivery) == "approved"

    def work(self) -> None:
        self.portal.work()

    def newest(self) -> Delivery:
        with self.portal.sessions() as session:
            return session.scalars(select(Delivery).order_by(Delivery.number.desc()).limit(1)).one()

    def state(self, delivery: Delivery) -> str:
        with self.portal.sessions() as session:
            return session.get_one(Delivery, delivery.id).state.value

    def prove(self, delivery: Delivery, folder: Path) -> None:
        """The manager saves the evidence pack from the delivery's page; anybody can check it."""
        page = self.manager.page
        self.manager.go(f"/deliveries/{delivery.id}")
        self.manager.check()
        with page.expect_download() as coming:
            page.locator("a[href$='/evidence.zip']").click()
        coming.value.save_as(folder / "evidence.zip")
        findings = verify((folder / "evidence.zip").read_bytes(), self.portal.resources.keys.ring())
        assert (findings.faults, findings.delivery) == ((), delivery.number)
        assert self.state(delivery) == "acknowledged"


@pytest.fixture
def desk(running: Running, walker: Walkers, mailbox: Mailbox) -> Desk:
    if not REAL.is_dir():
        pytest.skip("the real firmware is not at hand: the channels were NOT walked with it")
    return Desk(running, walker, mailbox)


def press(walker: Walker, locator: str) -> None:
    walker.page.locator(locator).click()
    walker.page.wait_for_load_state()


def test_by_email_from_naming_a_person_to_a_proven_receipt(desk: Desk, walker: Walkers, tmp_path: Path) -> None:
    recipient = name_and_confirm(desk)
    delivery = desk.ask("email", "Ирина Получателева")
    desk.approve(delivery)
    desk.dispatcher.go(f"/mailings/{delivery.id}")
    press(desk.dispatcher, f"form[action$='/{delivery.id}/prepare'] button")
    press(desk.dispatcher, f"form[action$='/{delivery.id}/dispatch'] button")
    desk.work()
    assert desk.state(delivery) == "dispatched"
    letter = desk.mailbox.newest(recipient, "/m/")
    link = re.search(r"http://[^/]+(/m/[A-Za-z0-9_-]{43})", letter)
    assert link, letter
    reader = walker(language="ru", viewport=PHONE)
    reader.go(link.group(1))
    reader.check()
    press(reader, "main form button.btn-primary")
    desk.work()
    reader.page.fill("input[name=one_time_code]", desk.mailbox.code(recipient))
    press(reader, "main form input[type=submit]")
    reader.check()
    for name, digest in ((IMAGE, hashlib.sha256(desk.content).hexdigest()), ("changelog.txt", None)):
        with reader.page.expect_download() as coming:
            reader.page.locator(f"a[href$='{name}']").click()
        coming.value.save_as(tmp_path / name)
        assert digest in (None, hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    reader.page.reload()
    press(reader, "form[action$='/verified'] input[type=submit]")
    assert desk.state(delivery) == "acknowledged"
    reader.check()
    desk.prove(delivery, tmp_path)


def name_and_confirm(desk: Desk) -> str:
    """The manager names a person and gives a power of attorney; the dispatcher confirms it; the e-mail address."""
    page, email = desk.manager.page, "irina@operator.example"
    desk.manager.go("/authority")
    page.locator("main a[href$='/new']").click()
    page.fill("input[name=name]", "Ирина Получателева")
    page.fill("input[name=email]", email)
    page.fill("input[name=phone]", "+7 916 123-45-67")
    page.select_option("select[name=language]", "ru")
    press(desk.manager, MAIN_BUTTON)
    if not page.locator("input[name=issued_by]").count():
        page.locator("main a.btn-primary").first.click()
    today = desk.portal.clock().date()
    days = {"issued_on": today, "valid_from": today, "valid_until": today.replace(year=today.year + 1)}
    page.fill("input[name=number]", "Д-12")
    page.fill("input[name=issued_by]", "Генеральный директор П. П. Петров")
    for name, day in days.items():
        page.fill(f"input[name={name}]", day.isoformat())
    page.check("input[name=may_sign]")
    desk.manager.check()
    press(desk.manager, MAIN_BUTTON)
    desk.work()
    desk.mailbox.newest(desk.emails["dispatcher"], "Ирина Получателева")
    desk.dispatcher.go("/authority")
    desk.dispatcher.page.get_by_role("link", name="Ирина Получателева").click()
    desk.dispatcher.page.get_by_role("link", name="Д-12").click()
    desk.dispatcher.check()
    desk.dispatcher.page.fill("form[action$='/confirm'] input[name=checked]", "Звонок на коммутатор, подпись сверена")
    press(desk.dispatcher, "form[action$='/confirm'] input[type=submit]")
    return email


def test_by_courier_from_a_written_stick_to_a_signed_receipt(
    desk: Desk, walker: Walkers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipient = desk.recipient("Кирилл Складской")
    delivery = desk.ask("courier", "Кирилл Складской", address=True)
    by_courier(desk, delivery, walker(language="ru", viewport=PHONE), recipient, tmp_path, monkeypatch)
    desk.prove(delivery, tmp_path)


def by_courier(
    desk: Desk, delivery: Delivery, reader: Walker, recipient: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stick is written, checked without a network, sent, and its receipt is signed on the `reader`'s phone."""
    desk.approve(delivery)
    stick = write_stick(desk, delivery, folder, monkeypatch)
    verify_without_network(stick, folder)
    dispatch(desk, delivery)
    kept = consignment(desk, delivery)
    reader.go(f"/r/{slips.secret_of(kept.id, desk.portal.resources.config.secret_key)}")
    reader.check()
    press(reader, "form[action$='/code'] button")
    desk.work()
    page = reader.page
    page.fill("input[name=serial]", "СН-77")
    page.fill("input[name=seal]", "ПЛ-0042")
    page.check("input[name=is_verified]")
    page.fill("input[name=name]", "Кирилл Складской")
    page.fill("input[name=code]", desk.mailbox.code(recipient))
    draw(page)
    reader.check()
    page.locator("form:has([data-pad]) input[type=submit]").click()
    page.wait_for_load_state()
    assert desk.state(delivery) == "acknowledged"
    reader.check()


def write_stick(desk: Desk, delivery: Delivery, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`portal media add` and `portal media write`, as at the desk where the stick is plugged in."""
    monkeypatch.setattr(media_cli, "open_for_command", lambda: desk.portal.resources)
    stick = folder / "stick"
    stick.mkdir()
    for words in (
        ("add", "usb", "СН-77", "--capacity", str(1 << 30)),
        ("write", str(stick), "--delivery", delivery.number, "--medium", "СН-77"),
    ):
        answer = CliRunner().invoke(media_cli.media_group, words)
        assert answer.exit_code == 0, answer.output
    assert desk.state(delivery) == "prepared"
    return stick


def verify_without_network(stick: Path, folder: Path) -> None:
    """The kit is unpacked and checked by its own script, with a key that was got by another way."""
    [kit] = stick.glob("*.tar")
    with tarfile.open(kit) as archive:
        archive.extractall(folder / "kit", filter="data")
    [top] = (folder / "kit").iterdir()
    [key, *_] = (top / "keys").iterdir()
    (folder / "vendor.pem").write_bytes(key.read_bytes())
    command = ["python3", "-I", str(top / "verify.py"), str(top), "--key", str(folder / "vendor.pem"),
               "--customer", "OPERATOR", "--language", "ru"]  # fmt: skip
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


def dispatch(desk: Desk, delivery: Delivery) -> None:
    """A carrier is put on record; bag, papers, and over to the carrier."""
    page = desk.dispatcher.page
    desk.dispatcher.go(f"/couriers/{delivery.id}")
    page.locator("main .next-step a.btn-primary").click()
    page.fill("input[name=name]", "СДЭК")
    page.fill("input[name=tracking_url]", "https://carrier.example/{tracking}")
    press(desk.dispatcher, MAIN_BUTTON)
    desk.dispatcher.go(f"/couriers/{delivery.id}")
    page.fill("input[name=seal]", "ПЛ-0042")
    page.select_option("select[name=carrier]", label="СДЭК")
    press(desk.dispatcher, "form[action$='/pack'] input[type=submit]")
    desk.dispatcher.check()
    for paper in ("packing", "address", "seal"):
        with page.expect_download() as coming:
            page.locator(f"a[href*='/papers/{paper}']").first.click()
        assert Path(coming.value.path()).read_bytes().startswith(b"%PDF-")
    page.fill("input[name=tracking]", "RB 123/456")
    press(desk.dispatcher, "form[action$='/dispatch'] input[type=submit]")
    assert desk.state(delivery) == "dispatched"
    desk.dispatcher.check()


def consignment(desk: Desk, delivery: Delivery) -> Consignment:
    with desk.portal.sessions() as session:
        return session.scalars(select(Consignment).where(Consignment.delivery_id == delivery.id)).one()


def test_into_the_hands_of_an_authorized_person(desk: Desk, tmp_path: Path) -> None:
    recipient = desk.recipient("Иван Соколов")
    delivery = desk.ask("hand-over", "Иван Соколов")
    desk.approve(delivery)
    page = desk.dispatcher.page
    desk.dispatcher.go("/handovers/new")
    form = page.locator("form", has_text=recipient)
    form.locator("input[type=checkbox]").check()
    form.locator("button").click()
    page.fill("[name=ending]", "4821")
    page.fill("[name=place]", "Москва, зал 3")
    page.check("[name=is_compared]")
    press(desk.dispatcher, "main form input[type=submit]")
    page.locator(".act-text").wait_for()
    desk.dispatcher.check()
    press(desk.dispatcher, "main form input[type=submit]")
    page.locator("[data-pad] canvas").first.wait_for()
    desk.work()
    page.fill("[name=code]", desk.mailbox.code(recipient))
    draw(page)
    page.locator("[data-handover] input[type=submit]").click()
    page.wait_for_url(re.compile(r"/handovers/acts/[0-9a-f-]+$"))
    desk.dispatcher.check()
    desk.prove(delivery, tmp_path)
    desk.work()
    assert "акт" in desk.mailbox.newest(recipient, "акт").lower()
