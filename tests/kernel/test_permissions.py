import pytest

from portal.permissions import (
    ROLE_PERMISSIONS,
    ROLE_TITLES,
    SCOPE_PERMISSIONS,
    OrganisationKind,
    Permission,
    Role,
    Scope,
    permissions_of,
)

P = Permission


def holders(permission):
    return {role for role in Role if permission in ROLE_PERMISSIONS[role]}


def test_every_role_has_kind_title_and_permissions():
    for role in Role:
        assert role.kind in OrganisationKind
        assert ROLE_TITLES[role]
        assert {P.ACCOUNT_OWN, P.TOKENS_OWN} <= ROLE_PERMISSIONS[role]


def test_every_permission_is_held_by_some_role():
    assert set().union(*ROLE_PERMISSIONS.values()) == set(Permission)


@pytest.mark.parametrize(
    ("permission", "roles"),
    [
        (P.AUDIT_READ, {Role.AUDITOR}),
        (P.JOBS_MANAGE, {Role.ADMINISTRATOR}),
        (P.ORGANISATIONS_MANAGE, {Role.ADMINISTRATOR}),
        (P.PEOPLE_MANAGE, {Role.ADMINISTRATOR, Role.CUSTOMER_MANAGER}),
        (P.RELEASES_EDIT, {Role.PUBLISHER}),
        (P.RELEASES_APPROVE, {Role.APPROVER}),
        (P.GRANTS_APPROVE, {Role.APPROVER}),
        (P.CONTRACTS_MANAGE, {Role.ADMINISTRATOR}),
        (P.DOWNLOAD, {Role.CUSTOMER_ENGINEER, Role.CUSTOMER_MANAGER}),
        (P.TICKETS_WORK, {Role.TSC_ENGINEER, Role.DISPATCHER}),
    ],
)
def test_what_is_dangerous_is_held_by_whom_it_should_be(permission, roles):
    assert holders(permission) == roles


def test_no_customer_holds_what_shows_other_customers():
    for role in Role:
        if role.kind is OrganisationKind.CUSTOMER:
            assert not ROLE_PERMISSIONS[role] & {P.HOLDERS_READ, P.RELEASES_READ, P.CONTRACTS_READ, P.AUDIT_READ}


def test_nobody_holds_nothing():
    assert permissions_of([]) == frozenset()
    assert permissions_of([], [Scope.DOWNLOAD]) == frozenset()


def test_roles_add_up_and_scopes_narrow():
    both = permissions_of([Role.PUBLISHER, Role.APPROVER])
    assert both == ROLE_PERMISSIONS[Role.PUBLISHER] | ROLE_PERMISSIONS[Role.APPROVER]
    assert permissions_of([Role.PUBLISHER], [Scope.RELEASES_READ]) == {P.RELEASES_READ}
    assert permissions_of([Role.PUBLISHER], []) == frozenset()


def test_a_scope_never_adds_anything():
    for role in Role:
        for scope in Scope:
            assert permissions_of([role], [scope]) <= permissions_of([role])
            assert permissions_of([role], [scope]) <= SCOPE_PERMISSIONS[scope]


def test_no_scope_reaches_accounts_audit_or_jobs():
    reached = frozenset().union(*SCOPE_PERMISSIONS.values())
    assert not reached & {
        P.ACCOUNT_OWN,
        P.TOKENS_OWN,
        P.PEOPLE_MANAGE,
        P.ORGANISATIONS_MANAGE,
        P.AUDIT_READ,
        P.JOBS_MANAGE,
    }
