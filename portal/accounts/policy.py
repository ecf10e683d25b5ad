"""Who may manage whom: the vendor's administrators everyone, a customer's managers their own people."""

from collections.abc import Iterable
from uuid import UUID

from portal.accounts.errors import NoRole, NotYoursToManage, RoleOfOtherKind
from portal.accounts.models import Organisation, Person
from portal.actors import Actor
from portal.permissions import OrganisationKind, Permission, Role


def sees_every_organisation(by: Actor) -> bool:
    return by.is_staff


def may_manage_people_of(by: Actor, organisation_id: UUID) -> bool:
    if not by.may(Permission.PEOPLE_MANAGE):
        return False
    return by.is_staff or by.organisation_id == organisation_id


def require_may_manage(by: Actor, person: Person) -> None:
    """Raises NotYoursToManage. Whom the actor can't even see, a query has kept from getting here."""
    if not may_manage_people_of(by, person.organisation_id):
        raise NotYoursToManage


def require_may_invite_into(by: Actor, organisation: Organisation) -> None:
    if not may_manage_people_of(by, organisation.id):
        raise NotYoursToManage


def roles_of_kind(kind: OrganisationKind) -> tuple[Role, ...]:
    return tuple(role for role in Role if role.kind is kind)


def checked_roles(kind: OrganisationKind, roles: Iterable[Role]) -> frozenset[Role]:
    """The roles, if an organisation of this kind can hold them all. Raises NoRole, RoleOfOtherKind."""
    wanted = frozenset(roles)
    if not wanted:
        raise NoRole
    for role in sorted(wanted):
        if role.kind is not kind:
            raise RoleOfOtherKind(role=role.value)
    return wanted
