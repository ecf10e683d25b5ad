"""Whose devices a page speaks of: a customer's own, for staff as they say."""

from sqlalchemy import select

from portal.accounts.customers import customer, customers
from portal.accounts.models import Organisation
from portal.inventory import queries
from portal.inventory.errors import NotACustomer
from portal.inventory.models import Site
from portal.releases.models import Product
from portal.web.forms import Form
from portal.web.guard import actor
from portal.web.unit_of_work import session

OFFERED_CUSTOMERS = 200
UNPROCESSABLE = 422


def owner(written: str | None) -> Organisation:
    """For staff as `written` says, for a customer its own. Raises NotACustomer."""
    if not actor().is_staff:
        return session().get_one(Organisation, actor().organisation_id)
    found = customer(session(), written or "")
    if found is None:
        raise NotACustomer(customer=(written or "")[:60])
    return found


def offered_customers() -> list[Organisation]:
    return list(session().scalars(customers(OFFERED_CUSTOMERS))) if actor().is_staff else []


def offered_sites() -> list[Site]:
    """A customer's own, to choose from while one types."""
    organisation_id = None if actor().is_staff else actor().organisation_id
    return queries.sites_of(session(), organisation_id) if organisation_id else []


def offered_products() -> list[Product]:
    if actor().is_staff:
        return list(session().scalars(select(Product).order_by(Product.name)))
    organisation_id = actor().organisation_id
    rows = queries.addable_products(organisation_id, visible_to=actor()) if organisation_id else None
    return list(session().scalars(rows)) if rows is not None else []


def status(form: Form) -> int:
    return UNPROCESSABLE if form.errors else 200
