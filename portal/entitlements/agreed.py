"""Which agreements a person still has to accept before a product is taken."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from portal.authority.models import AuthorizedPerson
from portal.entitlements.models import Agreement, AgreementAcceptance, AgreementVersion, ProductAgreement
from portal.entitlements.reasons import MissingAgreement


def missing_agreements(
    session: Session, person_id: UUID | None, product_id: UUID, at: datetime
) -> list[MissingAgreement]:
    """The current version of each agreement of the product that this person has not accepted. One statement.

    Current is the highest number in force by `at`; an agreement without one asks for nothing yet.
    """
    return _missing(session, AgreementAcceptance.person_id == person_id, product_id, at)


def missing_for_recipient(
    session: Session, authorized_person_id: UUID, product_id: UUID, at: datetime
) -> list[MissingAgreement]:
    """The same for an authorized person, by whichever way they accepted: as recipient, or with their own sign-in."""
    own = select(AuthorizedPerson.person_id).where(AuthorizedPerson.id == authorized_person_id).scalar_subquery()
    by_recipient = or_(
        AgreementAcceptance.authorized_person_id == authorized_person_id, AgreementAcceptance.person_id == own
    )
    return _missing(session, by_recipient, product_id, at)


def _missing(
    session: Session, is_theirs: ColumnElement[bool], product_id: UUID, at: datetime
) -> list[MissingAgreement]:
    newer = aliased(AgreementVersion)
    current = (
        select(func.max(newer.number))
        .where(newer.agreement_id == Agreement.id, newer.effective_from <= at)
        .scalar_subquery()
    )
    accepted = exists().where(AgreementAcceptance.version_id == AgreementVersion.id, is_theirs)
    rows = session.execute(
        select(AgreementVersion.id, Agreement.code, AgreementVersion.number, AgreementVersion.texts)
        .join(Agreement, and_(Agreement.id == AgreementVersion.agreement_id, AgreementVersion.number == current))
        .join(ProductAgreement, ProductAgreement.agreement_id == Agreement.id)
        .where(ProductAgreement.product_id == product_id, ~accepted)
        .order_by(Agreement.code)
    )
    return [
        MissingAgreement(
            row.id, row.code, row.number, {lang: text.get("title", "") for lang, text in row.texts.items()}
        )
        for row in rows
    ]
