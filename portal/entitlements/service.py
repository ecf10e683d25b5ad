"""The verbs on contracts, grants, agreements and receipts. Each is audited in the transaction that does it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Insert, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.audit import service as audit
from portal.audit.service import Tag
from portal.authority.models import AuthorizedPerson
from portal.config import LANGUAGES
from portal.db import Base
from portal.entitlements.errors import (
    AgreementSuperseded,
    AlreadyOnHold,
    AlreadyRevoked,
    CannotBeGranted,
    CodeTaken,
    GrantOver,
    LineTwice,
    NoTextInLanguage,
    NotOnHold,
    NumberTaken,
    UnknownCustomer,
)
from portal.entitlements.models import (
    Agreement,
    AgreementAcceptance,
    AgreementVersion,
    Contract,
    ContractLine,
    ContractState,
    Grant,
    ReceivedRelease,
)
from portal.entitlements.terms import REASON_CHARS, LineTerms, Terms, checked_terms
from portal.errors import Forbidden
from portal.permissions import Permission
from portal.releases.markdown import MAX_NOTES_CHARS
from portal.releases.models import Product, Release
from portal.texts import lines as text_lines
from portal.texts import one_line

CODE_CHARS, TITLE_CHARS = 60, 200


def create_contract(
    session: Session,
    organisation: Organisation,
    terms: Terms,
    lines: Iterable[LineTerms] = (),
    *,
    by: Actor,
    at: datetime,
) -> Contract:
    """A contract with its lines. Raises InvalidInput, NumberTaken, LineTwice."""
    terms = checked_terms(terms)
    if organisation.kind != "customer":
        raise UnknownCustomer(text=organisation.code)
    if session.scalar(select(Contract.id).where(Contract.number == terms.number)):
        raise NumberTaken(number=terms.number)  # two at once: the constraint answers the second with Conflict
    contract = Contract(
        organisation_id=organisation.id, number=terms.number, programme=terms.programme, created_at=at, lines=[],
        state=ContractState.ACTIVE,
    )  # fmt: skip
    contract.set_term(terms.starts_on, terms.ends_on, terms.time_zone)
    session.add(contract)
    for line in lines:
        contract.lines.append(_new_line(contract, line))
    _note(session, Tag.CONTRACT_CREATE, contract, by=by, at=at, customer=organisation.code, **_term_facts(contract),
          lines=[_line_facts(line) for line in contract.lines])  # fmt: skip
    return contract


def change_term(session: Session, contract: Contract, terms: Terms, *, by: Actor, at: datetime) -> None:
    """New days, zone or programme; the number stays. Raises InvalidInput."""
    terms = checked_terms(terms)
    before = _term_facts(contract)
    contract.programme = terms.programme
    contract.set_term(terms.starts_on, terms.ends_on, terms.time_zone)
    _note(session, Tag.CONTRACT_CHANGE, contract, by=by, at=at, before=before, after=_term_facts(contract))


def hold(session: Session, contract: Contract, *, reason: str, by: Actor, at: datetime) -> None:
    """While on hold the contract gives nothing. Raises InvalidInput, AlreadyOnHold."""
    _lock(session, contract, "state")
    if contract.state is ContractState.ON_HOLD:
        raise AlreadyOnHold(number=contract.number)
    contract.hold(one_line(reason, limit=REASON_CHARS))
    _note(session, Tag.CONTRACT_HOLD, contract, by=by, at=at, reason=contract.held_because)


def resume(session: Session, contract: Contract, *, by: Actor, at: datetime) -> None:
    """Raises NotOnHold."""
    _lock(session, contract, "state")
    if contract.state is not ContractState.ON_HOLD:
        raise NotOnHold(number=contract.number)
    contract.resume()
    _note(session, Tag.CONTRACT_RESUME, contract, by=by, at=at)


def add_line(session: Session, contract: Contract, terms: LineTerms, *, by: Actor, at: datetime) -> ContractLine:
    """The contract's lines must be loaded. Raises LineTwice."""
    line = _new_line(contract, terms)
    contract.lines.append(line)
    _note(session, Tag.CONTRACT_CHANGE, contract, by=by, at=at, line_added=_line_facts(line))
    return line


def change_line(
    session: Session, contract: Contract, line: ContractLine, terms: LineTerms, *, by: Actor, at: datetime
) -> None:
    """What a line covers of its product; the product stays."""
    before = _line_facts(line)
    line.levels, line.devices, line.has_back_catalogue = terms.levels, terms.devices, terms.has_back_catalogue
    _note(session, Tag.CONTRACT_CHANGE, contract, by=by, at=at, line_before=before, line_after=_line_facts(line))


def remove_line(session: Session, contract: Contract, line: ContractLine, *, by: Actor, at: datetime) -> None:
    """The right to what was issued under it goes too; what was received stays as the backup copy."""
    facts = _line_facts(line)
    contract.lines.remove(line)
    _note(session, Tag.CONTRACT_CHANGE, contract, by=by, at=at, line_removed=facts)


@dataclass(frozen=True)
class GrantTerms:
    """What an exception says: a named release for a named customer until an instant, with its reason."""

    organisation: Organisation
    release: Release
    until: datetime
    reason: str


def give_grant(session: Session, terms: GrantTerms, *, by: Actor, at: datetime) -> Grant:
    """The same exception sent twice is one, so that revoking it leaves no other.

    Raises InvalidInput, CannotBeGranted.
    """
    release, organisation = terms.release, terms.organisation
    if terms.until <= at:
        raise GrantOver
    if not release.is_published:
        raise CannotBeGranted(version=release.version)
    if organisation.kind != "customer":
        raise UnknownCustomer(text=organisation.code)
    reason = one_line(terms.reason, limit=REASON_CHARS)
    _lock(session, organisation, "kind")
    twin = _same_grant(session, terms, reason)
    if twin is not None:
        return twin
    grant = Grant(
        organisation_id=organisation.id,
        release_id=release.id,
        until=terms.until,
        reason=reason,
        approved_by=by.person_id,
        created_at=at,
    )
    session.add(grant)
    audit.record(session, Tag.GRANT_GIVE, by=by, at=at, subject=grant, named=f"{organisation.code} {release.version}",
                 release=release.id, until=grant.until, reason=grant.reason)  # fmt: skip
    return grant


def _same_grant(session: Session, terms: GrantTerms, reason: str) -> Grant | None:
    rows = select(Grant).where(
        Grant.organisation_id == terms.organisation.id,
        Grant.release_id == terms.release.id,
        Grant.until == terms.until,
        Grant.reason == reason,
        Grant.revoked_at.is_(None),
    )
    return session.scalars(rows.limit(1)).first()


def revoke_grant(session: Session, grant: Grant, *, by: Actor, at: datetime) -> None:
    """Raises AlreadyRevoked."""
    _lock(session, grant, "revoked_at")
    if grant.revoked_at is not None:
        raise AlreadyRevoked
    grant.revoked_at = at
    audit.record(session, Tag.GRANT_REVOKE, by=by, at=at, subject=grant, release=grant.release_id,
                 customer=grant.organisation_id)  # fmt: skip


def save_agreement(
    session: Session, agreement: Agreement | None, wording: "Wording", *, by: Actor, at: datetime
) -> AgreementVersion:
    """A new version of the agreement (or its first), in force at once, and the products that ask for it.

    `agreement.products` must be loaded. Raises InvalidInput, CodeTaken.
    """
    texts = _checked_texts(wording.texts)
    if agreement is None:
        code = one_line(wording.code, limit=CODE_CHARS)
        if session.scalar(select(Agreement.id).where(Agreement.code == code)):
            raise CodeTaken(code=code)
        agreement = Agreement(code=code, created_at=at, products=[])
        session.add(agreement)
        session.flush()  # its versions need its id
    agreement.products = list(wording.products)
    number = session.scalar(
        select(func.max(AgreementVersion.number)).where(AgreementVersion.agreement_id == agreement.id)
    )
    version = AgreementVersion(agreement_id=agreement.id, number=(number or 0) + 1, texts=texts, effective_from=at)
    session.add(version)
    audit.record(session, Tag.AGREEMENT_SAVE, by=by, at=at, subject=agreement, named=agreement.code,
                 version=version.number, text_sha256=text_digest(texts),
                 products=[product.code for product in wording.products])  # fmt: skip
    return version


@dataclass(frozen=True)
class Wording:
    """An agreement's text as it is entered: {language: {"title", "body"}}; `code` counts for the first version."""

    code: str
    texts: Mapping[str, Mapping[str, str]]
    products: tuple[Product, ...]


def accept_agreement(session: Session, version: AgreementVersion, *, by: Actor, at: datetime) -> None:
    """The person accepts this text for their organisation; a second time changes nothing.

    Raises AgreementSuperseded for any but the version now in force, Forbidden for somebody who is not a person of a
    customer.
    """
    if by.person_id is None or by.organisation_id is None:
        raise Forbidden(permission=Permission.DOWNLOAD)
    _accept(session, version, {"person_id": by.person_id, "organisation_id": by.organisation_id}, by=by, at=at)


def accept_agreement_as_recipient(
    session: Session, version: AgreementVersion, recipient: AuthorizedPerson, *, by: Actor, at: datetime
) -> None:
    """An authorized person accepts this text for the customer, by a link that proved who they are; once.

    `by` is whoever came by the link, with their network address. Raises AgreementSuperseded.
    """
    whose = {"authorized_person_id": recipient.id, "organisation_id": recipient.organisation_id}
    _accept(session, version, whose, by=by, at=at)


def _accept(session: Session, version: AgreementVersion, whose: dict[str, UUID], *, by: Actor, at: datetime) -> None:
    newest = select(func.max(AgreementVersion.number)).where(
        AgreementVersion.agreement_id == version.agreement_id, AgreementVersion.effective_from <= at
    )
    if session.scalar(newest) != version.number:
        raise AgreementSuperseded
    digest = text_digest(version.texts)
    facts = {"version_id": version.id, "at": at, "address": by.address[:64], "text_sha256": digest, **whose}
    statement = _insert_once(session, AgreementAcceptance).values(**facts).returning(AgreementAcceptance.id)
    if session.scalar(statement) is not None:
        recipient = whose.get("authorized_person_id")
        told: dict[str, Any] = {"recipient": recipient} if recipient else {}
        audit.record(session, Tag.AGREEMENT_ACCEPT, by=by, at=at, subject=version, text_sha256=digest, **told)


def text_digest(texts: Mapping[str, Any]) -> str:
    """SHA-256, hex, of an agreement's text in all its languages as canonical JSON: what was agreed to."""
    canonical = json.dumps(texts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def record_received(session: Session, organisation_id: UUID, release_id: UUID, at: datetime) -> None:
    """Note that the customer has received the release (P11); the first time stays, and two at once are one."""
    values = {"organisation_id": organisation_id, "release_id": release_id, "first_at": at}
    session.execute(_insert_once(session, ReceivedRelease).values(**values))


def _lock(session: Session, row: Base, *names: str) -> None:
    """Hold the row and read how it stands now: the same order twice at once is carried out, and recorded, once."""
    session.flush()  # our own changes would be overwritten by what is read now
    session.refresh(row, names, with_for_update=True)


def _insert_once(session: Session, model: type[Base]) -> Insert:
    """An INSERT that does nothing where the row is there already, whoever was first."""
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(model).on_conflict_do_nothing()
    return postgresql.insert(model).on_conflict_do_nothing()


def _new_line(contract: Contract, terms: LineTerms) -> ContractLine:
    target = (terms.product_id, terms.family_id)
    if any((line.product_id, line.family_id) == target for line in contract.lines):
        raise LineTwice(product=terms.product_id or terms.family_id)
    return ContractLine(
        product_id=terms.product_id,
        family_id=terms.family_id,
        levels=terms.levels,
        devices=terms.devices,
        has_back_catalogue=terms.has_back_catalogue,
    )


def _checked_texts(texts: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    checked = {}
    for language in LANGUAGES:
        title, body = texts.get(language, {}).get("title", ""), texts.get(language, {}).get("body", "")
        if not title.strip() or not body.strip():
            raise NoTextInLanguage(language=language)
        checked[language] = {
            "title": one_line(title, limit=TITLE_CHARS),
            "body": text_lines(body, limit=MAX_NOTES_CHARS),
        }
    return checked


def _note(session: Session, tag: Tag, contract: Contract, *, by: Actor, at: datetime, **facts: Any) -> None:  # noqa: ANN401
    audit.record(session, tag, by=by, at=at, subject=contract, named=contract.number, **facts)


def _term_facts(contract: Contract) -> dict[str, str]:
    return {
        "programme": contract.programme,
        "starts_on": contract.starts_on.isoformat(),
        "ends_on": contract.ends_on.isoformat(),
        "time_zone": contract.time_zone,
    }


def _line_facts(line: ContractLine) -> dict[str, Any]:
    return {
        "product": str(line.product_id) if line.product_id else None,
        "family": str(line.family_id) if line.family_id else None,
        "levels": int(line.levels),
        "devices": line.devices,
        "back_catalogue": line.has_back_catalogue,
    }
