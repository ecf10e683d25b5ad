"""Whom the invented customer lets receive files: one may, one waits for the dispatcher."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.authority.service import confirm, give_power, name_person
from portal.authority.terms import NewPower, RecipientFacts

ISSUER = "А. Б. Волжский, генеральный директор"


def authorize(session: Session, customer: Organisation, *, manager: Actor, dispatcher: Actor, today: datetime) -> None:
    """Ольга Мостовая may receive and sign for all products; Пётр Каналов only waits."""
    given = today - timedelta(days=90)
    facts = RecipientFacts("Ольга Мостовая", "olga.mostovaya@volga.example", "+7 916 123-45-67", "ru")
    olga = name_person(session, customer, facts, by=manager, at=given)
    until = (today + timedelta(days=300)).date()
    new = NewPower("44-Д", given.date(), ISSUER, given.date(), until, may_sign=True)
    power = give_power(session, olga, new, by=manager, at=given)
    confirm(session, power, checked="Подлинник, звонок в приёмную", second_person=True, by=dispatcher,
            at=given + timedelta(hours=3))  # fmt: skip
    asked = today - timedelta(days=2)
    facts = RecipientFacts("Пётр Каналов", "petr.kanalov@volga.example", "", "ru")
    petr = name_person(session, customer, facts, by=manager, at=asked)
    until = (today + timedelta(days=180)).date()
    new = NewPower("51-Д", asked.date(), ISSUER, asked.date(), until)
    give_power(session, petr, new, by=manager, at=asked)
