"""How the words of accounts are shown; each is put into the reader's language at the edge."""

from portal.accounts.models import EndUse
from portal.errors import mark
from portal.permissions import OrganisationKind, Scope

KIND_TITLES = {
    OrganisationKind.VENDOR: mark("Vendor"),
    OrganisationKind.SUPPORT: mark("Support centre"),
    OrganisationKind.CUSTOMER: mark("Customer"),
}

END_USE_TITLES = {
    EndUse.CIVIL: mark("Civil"),
    EndUse.GOVERNMENT: mark("Government"),
    EndUse.MILITARY: mark("Military"),
}

SCOPE_TITLES = {
    Scope.RELEASES_UPLOAD: mark("Upload releases"),
    Scope.RELEASES_READ: mark("Read releases, drafts too"),
    Scope.CATALOGUE_READ: mark("Read the catalogue and own deliveries"),
    Scope.DOWNLOAD: mark("Download files"),
    Scope.TICKETS: mark("Read, open and answer tickets"),
    Scope.DELIVERIES: mark("Ask for deliveries and follow them"),
    Scope.INVENTORY: mark("Read and change devices"),
    Scope.BACKUPS: mark("Store and read backups of devices"),
}
