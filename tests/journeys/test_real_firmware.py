"""Nine real firmware releases, from the vendor's command to a customer who trusts only openssl and sha256sum.

Skips where the real files are not at hand.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from sqlalchemy.engine import Engine

from portal import cli
from portal.accounts.tokens import NewToken, create_token
from portal.permissions import OrganisationKind, Role, Scope
from portal.releases import service as releases
from portal.releases.models import IssueRelation, Level, Product, Release, Severity
from portal.releases.queries import get
from portal.releases.versions import Scheme
from storage import S3Settings, S3Store
from tests.factories import make_organisation, make_person, make_product
from tests.portals import Portal, open_test_portal
from tests.servers.granian import Served, served
from tests.servers.seaweed import S3Address
from tests.worlds import actor_for, make_contract

REAL = Path(__file__).parents[3] / "shared" / "real"
NOTES = (
    "# summary\nAs packaged by Debian.\n\n# resolved\n```\n{changelog}\n```\n# rollback\nFlash the previous image.\n"
)


@dataclass
class Desk:
    portal: Portal
    server: Served
    publisher_token: str
    customer_token: str
    publisher_email: str
    approver_email: str
    folder: Path
    is_presigned: bool


@pytest.fixture
def desk(
    request: pytest.FixtureRequest, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    if not REAL.is_dir():
        pytest.skip("the real firmware is not at hand: it was NOT tried")
    settings = {} if request.param == "files" else {"store": _bucket(monkeypatch)}
    portal = open_test_portal(engine, tmp_path / "portal", **settings)
    portal.clock.at = datetime.now(UTC)
    tokens, emails = _people(portal)
    with served(portal, downloads="presigned" if request.param == "s3-presigned" else "portal") as server:
        yield Desk(portal, server, *tokens, *emails, tmp_path, request.param == "s3-presigned")


def _bucket(monkeypatch: pytest.MonkeyPatch) -> str:
    address = S3Address.from_environment()
    assert address is not None
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", address.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", address.secret_key)
    bucket = f"firmware-{token_hex(6)}"
    settings = S3Settings(bucket, endpoint=address.endpoint, access_key=address.access_key,
                          secret_key=address.secret_key)  # fmt: skip
    S3Store(settings)._client.create_bucket(Bucket=bucket)
    return f"s3://{bucket}/objects?endpoint={quote(address.endpoint, safe='')}"


def _people(portal: Portal) -> tuple[tuple[str, str], tuple[str, str]]:
    """The vendor's publisher and approver, a customer with a contract for all three products; their tokens."""
    at = portal.clock()
    with portal.sessions.begin() as session:
        vendor, customer = make_organisation(session, OrganisationKind.VENDOR), make_organisation(session)
        publisher = make_person(session, vendor, Role.PUBLISHER)
        approver = make_person(session, vendor, Role.APPROVER)
        engineer = make_person(session, customer, Role.CUSTOMER_ENGINEER)
        for code in ("u-boot-qemu-arm64", "seabios", "ovmf"):
            product = make_product(session, code=code, name=code, scheme=Scheme.NATURAL)
            terms = {"number": f"C-{code}", "starts_on": date(2026, 1, 1), "ends_on": at.date() + timedelta(days=30)}
            make_contract(session, customer, product, **terms)
        tokens = []
        for person, organisation, scopes in (
            (publisher, vendor, {Scope.RELEASES_UPLOAD}),
            (engineer, customer, {Scope.CATALOGUE_READ, Scope.DOWNLOAD}),
        ):
            new = NewToken("script", frozenset(scopes), timedelta(days=30))
            by = actor_for(person, organisation)
            tokens.append(create_token(session, person, new, by=by, at=at)[1])
        return (tokens[0], tokens[1]), (publisher.email, approver.email)


def run(*command: object, **environment: str) -> str:
    """A command that must succeed; what it printed."""
    program, *rest = (str(word) for word in command)
    words = [str(Path(sys.executable).parent / program) if program == "portal" else program, *rest]
    settings = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")} | environment
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, env=settings)
    assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize(
    ("engine", "desk"),
    [("sqlite", "files"), ("postgresql", "s3"), ("postgresql", "s3-presigned")],
    indirect=True,
)
def test_nine_real_releases_go_all_the_way(desk: Desk) -> None:
    listed = json.loads((REAL / "releases.json").read_text())
    assert len(listed) == 9
    if desk.is_presigned:  # the same portal and store; only the way out differs, which one product shows
        listed = listed[:3]
    for number, entry in enumerate(listed):
        _upload(desk, entry, run if number == 0 else here)
    desk.portal.clock.at = datetime.now(UTC)
    desk.portal.work()  # every file is read back from the store
    for entry in listed:
        _publish(desk, entry)
    for entry in listed:
        _take_and_verify(desk, entry)


def here(_portal: str, *words: object, **environment: str) -> str:
    """The command within this process: each start of its own costs more than a second, and one has been seen."""
    done = CliRunner().invoke(cli.portal, [str(word) for word in words], env=environment)
    assert done.exit_code == 0, done.output
    return done.stdout


def _upload(desk: Desk, entry: dict[str, str], call: Callable[..., str]) -> None:
    notes = desk.folder / f"{entry['product']}-{entry['version']}.md"
    notes.write_text(NOTES.format(changelog=(REAL / entry["changelog"]).read_text()))
    printed = call(
        "portal", "releases", "upload", "--url", desk.server.address, "--level", entry["level"],
        "--notes", f"en={notes}", "--notes", f"ru={notes}", entry["product"], entry["version"], REAL / entry["file"],
        RELEASE_PORTAL_TOKEN=desk.publisher_token,
    )  # fmt: skip
    assert entry["sha256"] in printed


def _publish(desk: Desk, entry: dict[str, str]) -> None:
    release_id = _fixed(desk, entry)
    page = f"/releases/{release_id}"
    approver = desk.portal.signed_in(desk.approver_email)
    publisher = desk.portal.signed_in(desk.publisher_email)
    for person, step in ((publisher, "submit"), (approver, "approve"), (approver, "publish")):
        answer = person.submit(f"{page}/{step}", page)
        assert answer.status_code == 303, answer.text
    assert entry["sha256"] in approver.get(page).text


def _fixed(desk: Desk, entry: dict[str, str]) -> str:
    """The draft's id; where its level promises fixes, the issue that the changelog names is linked to it."""
    with desk.portal.sessions.begin() as session:
        found = session.query(Release).join(Product)
        release = found.filter(Product.code == entry["product"], Release.version == entry["version"]).one()
        if entry["level"] == Level.PATCH.word:
            at = desk.portal.clock()
            by = actor_for(make_person(session, make_organisation(session, OrganisationKind.VENDOR), Role.PUBLISHER),
                           make_organisation(session, OrganisationKind.SUPPORT))  # fmt: skip
            release = get(session, release.id, visible_to=by)
            words = {language: releases.IssueWords("ahci: handle TFES irq correctly") for language in ("en", "ru")}
            facts = releases.IssueFacts("SEABIOS-1", Severity.HIGH, is_public=True, texts=words)
            issue = releases.create_issue(session, release.product, facts, by=by, at=at)
            releases.link_issue(session, release, issue, IssueRelation.FIXED, by=by, at=at)
        return str(release.id)


def _take_and_verify(desk: Desk, entry: dict[str, str]) -> None:
    folder = desk.folder / "taken" / entry["product"] / entry["version"]
    folder.mkdir(parents=True)
    bearer = f"Authorization: Bearer {desk.customer_token}"
    told = json.loads(run("curl", "-sSf", "-H", bearer,
                          f"{desk.server.address}/api/v1/catalogue/{entry['product']}/{entry['version']}"))  # fmt: skip
    assert told["release"]["decision"]["basis"] == "active-contract"
    wanted = {file["name"]: file["address"] for file in told["files"]} | told["proof"]
    for name, address in wanted.items():
        run("curl", "-sSfL", "-H", bearer, "-o", folder / name, f"{desk.server.address}{address}")
    _verify(desk, folder)
    taken = (folder / Path(entry["file"]).name).read_bytes()
    assert taken == (REAL / entry["file"]).read_bytes()
    assert hashlib.sha256(taken).hexdigest() == entry["sha256"]


def _verify(desk: Desk, folder: Path) -> None:
    """By the customer's own tools: the vendor's key as the public page gives it, openssl, sha256sum, and ours."""
    key_id = re.search(r"/keys/([0-9a-f]{64})\.pem", run("curl", "-sSf", f"{desk.server.address}/keys"))
    assert key_id is not None
    key = folder.parent / "vendor.pem"
    run("curl", "-sSf", "-o", key, f"{desk.server.address}/keys/{key_id.group(1)}.pem")
    sums, signature = folder / "SHA256SUMS", folder / "SHA256SUMS.sig"
    assert "Verified OK" in run("openssl", "dgst", "-sha256", "-verify", key, "-signature", signature, sums)
    assert ": OK" in run("sh", "-c", f"cd '{folder}' && sha256sum --strict -c SHA256SUMS")
    if folder.name >= "2025":  # one of each scheme of names; each start of the command costs a second
        run("portal", "verify", folder, "--key", key)
