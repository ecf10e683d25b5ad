"""Commands of accounts: the first organisation and its first person come in this way."""

import click

from portal.accounts import invitations, queries, service
from portal.accounts.emails import parse_email
from portal.accounts.models import EndUse
from portal.accounts.service import NewPerson, OrganisationFacts
from portal.actors import PORTAL_COMMAND
from portal.audit.commands import open_for_command
from portal.config import LANGUAGES
from portal.errors import NotFound
from portal.permissions import OrganisationKind, Role


@click.group()
def accounts() -> None:
    """Organisations and people."""


@accounts.command()
@click.option("--email", required=True)
@click.option("--name", required=True)
@click.option("--organisation", "code", required=True, help="The organisation's code.")
@click.option("--role", "roles", required=True, multiple=True, type=click.Choice([role.value for role in Role]))
@click.option("--language", type=click.Choice(LANGUAGES))
def invite(email: str, name: str, code: str, roles: tuple[str, ...], language: str | None) -> None:
    """Invite a person and print the link that lets them in (it is mailed too)."""
    resources = open_for_command()
    new = NewPerson(email, name, frozenset(Role(role) for role in roles), language)
    with resources.sessions.begin() as session:
        organisation = queries.organisation_by_code(session, code, visible_to=PORTAL_COMMAND)
        _person, link = invitations.invite(
            session, organisation, new, by=PORTAL_COMMAND, at=resources.clock(), base_url=resources.config.base_url
        )
    click.echo(link)


@accounts.command()
@click.argument("email")
def disable(email: str) -> None:
    """Shut a person out at once, on every process."""
    resources = open_for_command()
    with resources.sessions.begin() as session:
        person = queries.person_by_email(session, parse_email(email))
        if person is None:
            raise NotFound
        service.disable(session, person, by=PORTAL_COMMAND, at=resources.clock())
    click.echo(f"{person.email} can't sign in any more.")


@accounts.group()
def organisation() -> None:
    """Organisations."""


@organisation.command()
@click.option("--kind", required=True, type=click.Choice([kind.value for kind in OrganisationKind]))
@click.option("--code", required=True)
@click.option("--name", required=True)
@click.option("--country", required=True, help="Two letters, such as DE.")
@click.option("--end-use", default=EndUse.CIVIL.value, type=click.Choice([use.value for use in EndUse]))
@click.option("--time-zone", default="UTC")
@click.option("--language", default="en", type=click.Choice(LANGUAGES))
def create(**given: str) -> None:
    """Make an organisation and print its code."""
    resources = open_for_command()
    kind, end_use = OrganisationKind(given.pop("kind")), EndUse(given.pop("end_use"))
    facts = OrganisationFacts(kind=kind, end_use=end_use, **given)
    with resources.sessions.begin() as session:
        made = service.create_organisation(session, facts, by=PORTAL_COMMAND, at=resources.clock())
    click.echo(made.code)
