"""Agreements that a recipient accepts by a link, without a sign-in."""

from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from portal.actors import NOBODY, PORTAL_COMMAND
from portal.authority.service import name_person
from portal.authority.terms import RecipientFacts
from portal.entitlements.agreed import missing_agreements, missing_for_recipient
from portal.entitlements.errors import AgreementSuperseded
from portal.entitlements.models import Agreement, AgreementAcceptance
from portal.entitlements.queries import asked_version
from portal.entitlements.service import Wording, accept_agreement_as_recipient, save_agreement
from portal.errors import NotFound
from portal.releases.models import Product
from tests.factories import make_organisation, make_product
from tests.portals import START

TEXTS = {language: {"title": "Licence", "body": "Use it well."} for language in ("en", "ru")}


def agreement_of(session, product: Product):
    version = save_agreement(session, None, Wording("licence", TEXTS, (product,)), by=PORTAL_COMMAND, at=START)
    session.flush()
    return version


def test_a_recipient_accepts_once_for_themselves(sessions):
    with sessions.begin() as session:
        customer, product = make_organisation(session), make_product(session)
        session.flush()
        version = agreement_of(session, product)
        facts = RecipientFacts("Irina", "irina@bridge.example")
        irina = name_person(session, customer, facts, by=PORTAL_COMMAND, at=START)
        petr = name_person(session, customer, replace(facts, email="petr@bridge.example"), by=PORTAL_COMMAND, at=START)
        missing = missing_for_recipient(session, irina.id, product.id, START)
        assert [(one.version_id, one.titles["ru"]) for one in missing] == [(version.id, "Licence")]
        asked = asked_version(session, missing[0].version_id, product.id, START)
        by = replace(NOBODY, name="Irina", address="10.1.2.3")
        for _ in range(2):
            accept_agreement_as_recipient(session, asked, irina, by=by, at=START)
        assert missing_for_recipient(session, irina.id, product.id, START) == []
        assert missing_for_recipient(session, petr.id, product.id, START) == missing
        assert missing_agreements(session, uuid4(), product.id, START) == missing
        row = session.scalars(select(AgreementAcceptance)).one()
        assert (row.authorized_person_id, row.person_id, row.address) == (irina.id, None, "10.1.2.3")
        assert row.organisation_id == customer.id


def test_only_the_text_now_in_force_and_only_of_this_product(sessions):
    with sessions.begin() as session:
        customer, product, other = make_organisation(session), make_product(session), make_product(session)
        session.flush()
        version = agreement_of(session, product)
        irina = name_person(
            session, customer, RecipientFacts("Irina", "irina@bridge.example"), by=PORTAL_COMMAND, at=START
        )
        with pytest.raises(NotFound):
            asked_version(session, version.id, other.id, START)
        agreement = session.get_one(Agreement, version.agreement_id)
        session.refresh(agreement, ["products"])
        save_agreement(session, agreement, Wording("licence", {**TEXTS, "en": {"title": "L", "body": "B"}}, (product,)),
                       by=PORTAL_COMMAND, at=START)  # fmt: skip
        session.flush()
        with pytest.raises(AgreementSuperseded):
            accept_agreement_as_recipient(session, version, irina, by=NOBODY, at=START)
        assert session.scalar(select(func.count()).select_from(AgreementAcceptance)) == 0
