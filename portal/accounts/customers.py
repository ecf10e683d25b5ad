"""Finding a customer by what staff write: its code or its name."""

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from portal.accounts.models import Organisation
from portal.permissions import OrganisationKind
from portal.texts import searchable

ESCAPE = "\\"


def anywhere(text: str) -> str:
    """A LIKE pattern (with ESCAPE) for whatever has the text in it."""
    for sign in (ESCAPE, "%", "_"):
        text = text.replace(sign, ESCAPE + sign)
    return f"%{text}%"


def customer(session: Session, written: str) -> Organisation | None:
    """The customer of this code, whatever its case, or of this very name."""
    wanted = searchable(written)
    rows = select(Organisation).where(
        Organisation.kind == OrganisationKind.CUSTOMER,
        or_(Organisation.code == wanted.upper(), Organisation.name == wanted),
    )
    found = session.scalars(rows).all()
    return found[0] if len(found) == 1 else None


def customers(limit: int) -> Select[Organisation]:
    """The first customers by name, to be offered while one types."""
    rows = select(Organisation).where(Organisation.kind == OrganisationKind.CUSTOMER)
    return rows.order_by(Organisation.name).limit(limit)


def is_called(text: str) -> ColumnElement[bool]:
    """The organisation's name or code has the text in it."""
    pattern = anywhere(text)
    return or_(Organisation.name.ilike(pattern, escape=ESCAPE), Organisation.code.ilike(pattern, escape=ESCAPE))
