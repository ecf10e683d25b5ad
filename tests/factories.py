"""Rows for tests: each factory fills in what a test does not care about."""

from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from portal.accounts import service
from portal.accounts.models import Organisation, Person
from portal.accounts.service import NewPerson, OrganisationFacts
from portal.actors import PORTAL_COMMAND
from portal.permissions import OrganisationKind, Role
from tests.portals import PASSWORD, START

words_of_their_own = (f"{number:03}" for number in count(1))


# accounts


def make_organisation(
    session: Session, kind: OrganisationKind = OrganisationKind.CUSTOMER, **facts: Any
) -> Organisation:
    """An organisation of its own code and name; `facts` are OrganisationFacts' fields."""
    word = next(words_of_their_own)
    given = {"code": f"{kind.value}-{word}", "name": f"{kind.value.title()} {word}", "country": "DE", **facts}
    return service.create_organisation(session, OrganisationFacts(kind, **given), by=PORTAL_COMMAND, at=START)


def make_person(session: Session, organisation: Organisation, *roles: Role, **facts: Any) -> Person:
    """Someone who can sign in with PASSWORD; `facts` are NewPerson's fields."""
    word = next(words_of_their_own)
    given = {"email": f"person-{word}@{organisation.code.lower()}.example", "name": f"Person {word}",
             "password": PASSWORD, **facts}  # fmt: skip
    new = NewPerson(roles=frozenset(roles), **given)
    return service.create_person(session, organisation, new, by=PORTAL_COMMAND, at=START)
