"""One list of permissions, and which role holds which. A role belongs to one kind of organisation."""

from collections.abc import Iterable
from enum import StrEnum

from portal.errors import mark


class OrganisationKind(StrEnum):
    VENDOR = "vendor"
    SUPPORT = "support"
    CUSTOMER = "customer"


class Role(StrEnum):
    """What a person does in an organisation (service programme, roles)."""

    PUBLISHER = "publisher"
    APPROVER = "approver"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    TSC_ENGINEER = "tsc-engineer"
    DISPATCHER = "dispatcher"
    CUSTOMER_ENGINEER = "customer-engineer"
    CUSTOMER_MANAGER = "customer-manager"

    @property
    def kind(self) -> OrganisationKind:
        return _ROLE_KINDS[self]


class Permission(StrEnum):
    ACCOUNT_OWN = "account-own"
    PEOPLE_READ = "people-read"
    PEOPLE_MANAGE = "people-manage"
    ORGANISATIONS_MANAGE = "organisations-manage"
    TOKENS_OWN = "tokens-own"
    AUDIT_READ = "audit-read"
    JOBS_READ = "jobs-read"
    JOBS_MANAGE = "jobs-manage"
    RELEASES_READ = "releases-read"
    RELEASES_EDIT = "releases-edit"
    RELEASES_APPROVE = "releases-approve"
    RELEASES_PUBLISH = "releases-publish"
    RELEASES_WITHDRAW = "releases-withdraw"
    PRODUCTS_MANAGE = "products-manage"
    ISSUES_EDIT = "issues-edit"
    CONTRACTS_READ = "contracts-read"
    CONTRACTS_MANAGE = "contracts-manage"
    GRANTS_APPROVE = "grants-approve"
    AGREEMENTS_MANAGE = "agreements-manage"
    HOLDERS_READ = "holders-read"
    INVENTORY_READ = "inventory-read"
    INVENTORY_EDIT = "inventory-edit"
    CATALOGUE_READ = "catalogue-read"
    DOWNLOAD = "download"
    DELIVERIES_READ = "deliveries-read"
    DELIVERIES_REQUEST = "deliveries-request"
    DELIVERIES_RECEIVE = "deliveries-receive"
    DELIVERIES_DISPATCH = "deliveries-dispatch"
    AUTHORITY_READ = "authority-read"
    AUTHORITY_MANAGE = "authority-manage"
    AUTHORITY_CONFIRM = "authority-confirm"
    TICKETS_READ = "tickets-read"
    TICKETS_OPEN = "tickets-open"
    TICKETS_ANSWER = "tickets-answer"
    TICKETS_WORK = "tickets-work"
    ROTA_MANAGE = "rota-manage"
    UPDATES_READ = "updates-read"
    UPDATES_AGREE = "updates-agree"
    UPDATES_RUN = "updates-run"
    BACKUPS = "backups"
    REPORTS_READ = "reports-read"


_ROLE_KINDS = {
    Role.PUBLISHER: OrganisationKind.VENDOR,
    Role.APPROVER: OrganisationKind.VENDOR,
    Role.ADMINISTRATOR: OrganisationKind.VENDOR,
    Role.AUDITOR: OrganisationKind.VENDOR,
    Role.TSC_ENGINEER: OrganisationKind.SUPPORT,
    Role.DISPATCHER: OrganisationKind.SUPPORT,
    Role.CUSTOMER_ENGINEER: OrganisationKind.CUSTOMER,
    Role.CUSTOMER_MANAGER: OrganisationKind.CUSTOMER,
}

ROLE_TITLES = {
    Role.PUBLISHER: mark("Publisher"),
    Role.APPROVER: mark("Approver"),
    Role.ADMINISTRATOR: mark("Administrator"),
    Role.AUDITOR: mark("Auditor"),
    Role.TSC_ENGINEER: mark("Support engineer"),
    Role.DISPATCHER: mark("Dispatcher"),
    Role.CUSTOMER_ENGINEER: mark("Engineer"),
    Role.CUSTOMER_MANAGER: mark("Manager"),
}

_P = Permission
_EVERYONE = frozenset({_P.ACCOUNT_OWN, _P.TOKENS_OWN})
_STAFF_READS = frozenset(
    {
        _P.RELEASES_READ,
        _P.CONTRACTS_READ,
        _P.HOLDERS_READ,
        _P.DELIVERIES_READ,
        _P.INVENTORY_READ,
        _P.UPDATES_READ,
        _P.AUTHORITY_READ,
    }
)

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.PUBLISHER: _EVERYONE
    | _STAFF_READS
    | {_P.RELEASES_EDIT, _P.RELEASES_PUBLISH, _P.RELEASES_WITHDRAW, _P.ISSUES_EDIT, _P.TICKETS_READ, _P.REPORTS_READ},
    Role.APPROVER: _EVERYONE
    | _STAFF_READS
    | {
        _P.RELEASES_APPROVE,
        _P.RELEASES_PUBLISH,
        _P.RELEASES_WITHDRAW,
        _P.GRANTS_APPROVE,
        _P.TICKETS_READ,
        _P.REPORTS_READ,
    },
    Role.ADMINISTRATOR: _EVERYONE
    | _STAFF_READS
    | {
        _P.PEOPLE_READ,
        _P.PEOPLE_MANAGE,
        _P.ORGANISATIONS_MANAGE,
        _P.JOBS_READ,
        _P.JOBS_MANAGE,
        _P.PRODUCTS_MANAGE,
        _P.CONTRACTS_MANAGE,
        _P.AGREEMENTS_MANAGE,
        _P.INVENTORY_EDIT,
    },
    Role.AUDITOR: _EVERYONE
    | _STAFF_READS
    | {_P.AUDIT_READ, _P.JOBS_READ, _P.PEOPLE_READ, _P.TICKETS_READ, _P.REPORTS_READ},
    Role.TSC_ENGINEER: _EVERYONE
    | _STAFF_READS
    | {
        _P.BACKUPS,
        _P.TICKETS_READ,
        _P.REPORTS_READ,
        _P.TICKETS_OPEN,
        _P.TICKETS_ANSWER,
        _P.TICKETS_WORK,
        _P.ISSUES_EDIT,
        _P.INVENTORY_EDIT,
        _P.DELIVERIES_REQUEST,
        _P.UPDATES_AGREE,
        _P.UPDATES_RUN,
    },
    Role.DISPATCHER: _EVERYONE
    | _STAFF_READS
    | {
        _P.BACKUPS,
        _P.TICKETS_READ,
        _P.REPORTS_READ,
        _P.TICKETS_OPEN,
        _P.TICKETS_ANSWER,
        _P.TICKETS_WORK,
        _P.ROTA_MANAGE,
        _P.INVENTORY_EDIT,
        _P.DELIVERIES_REQUEST,
        _P.UPDATES_AGREE,
        _P.UPDATES_RUN,
        _P.DELIVERIES_DISPATCH,
        _P.AUTHORITY_CONFIRM,
    },
    Role.CUSTOMER_ENGINEER: _EVERYONE
    | {
        _P.CATALOGUE_READ,
        _P.DOWNLOAD,
        _P.DELIVERIES_READ,
        _P.DELIVERIES_REQUEST,
        _P.DELIVERIES_RECEIVE,
        _P.AUTHORITY_READ,
        _P.INVENTORY_READ,
        _P.INVENTORY_EDIT,
        _P.BACKUPS,
        _P.UPDATES_READ,
        _P.UPDATES_AGREE,
        _P.TICKETS_READ,
        _P.REPORTS_READ,
        _P.TICKETS_OPEN,
        _P.TICKETS_ANSWER,
    },
    Role.CUSTOMER_MANAGER: _EVERYONE
    | {
        _P.CATALOGUE_READ,
        _P.DOWNLOAD,
        _P.DELIVERIES_READ,
        _P.DELIVERIES_REQUEST,
        _P.DELIVERIES_RECEIVE,
        _P.AUTHORITY_READ,
        _P.INVENTORY_READ,
        _P.INVENTORY_EDIT,
        _P.BACKUPS,
        _P.UPDATES_READ,
        _P.UPDATES_AGREE,
        _P.TICKETS_READ,
        _P.REPORTS_READ,
        _P.TICKETS_OPEN,
        _P.TICKETS_ANSWER,
        _P.PEOPLE_READ,
        _P.PEOPLE_MANAGE,
        _P.AUTHORITY_MANAGE,
    },
}


class Scope(StrEnum):
    """What an API token may be limited to. A token never holds more than its person."""

    RELEASES_UPLOAD = "releases:upload"
    RELEASES_READ = "releases:read"
    CATALOGUE_READ = "catalogue:read"
    DOWNLOAD = "download"
    TICKETS = "tickets"
    DELIVERIES = "deliveries"
    INVENTORY = "inventory"
    BACKUPS = "backups"


SCOPE_PERMISSIONS: dict[Scope, frozenset[Permission]] = {
    Scope.RELEASES_UPLOAD: frozenset({_P.RELEASES_READ, _P.RELEASES_EDIT}),
    Scope.RELEASES_READ: frozenset({_P.RELEASES_READ}),
    Scope.CATALOGUE_READ: frozenset({_P.CATALOGUE_READ, _P.DELIVERIES_READ}),
    Scope.DOWNLOAD: frozenset({_P.CATALOGUE_READ, _P.DOWNLOAD, _P.DELIVERIES_READ}),
    Scope.TICKETS: frozenset({_P.TICKETS_READ, _P.TICKETS_OPEN, _P.TICKETS_ANSWER}),
    Scope.DELIVERIES: frozenset({_P.DELIVERIES_READ, _P.DELIVERIES_REQUEST}),
    Scope.INVENTORY: frozenset({_P.INVENTORY_READ, _P.INVENTORY_EDIT}),
    Scope.BACKUPS: frozenset({_P.INVENTORY_READ, _P.BACKUPS}),
}


def permissions_of(roles: Iterable[Role], scopes: Iterable[Scope] | None = None) -> frozenset[Permission]:
    """What the roles allow, narrowed to the scopes of a token where there are any."""
    allowed = frozenset[Permission]().union(*(ROLE_PERMISSIONS[role] for role in roles))
    if scopes is None:
        return allowed
    return allowed & frozenset[Permission]().union(*(SCOPE_PERMISSIONS[scope] for scope in scopes))
