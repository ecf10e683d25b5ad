"""Every domain's tables in one place, for migrations and for whoever needs the whole metadata."""

from portal import numbers
from portal.accounts import models as accounts
from portal.audit import models as audit
from portal.authority import models as authority
from portal.backups import models as backups
from portal.couriers import models as couriers
from portal.db import Base
from portal.deliveries import models as deliveries
from portal.entitlements import models as entitlements
from portal.handovers import models as handovers
from portal.inventory import models as inventory
from portal.jobs import models as jobs
from portal.kits import models as kits
from portal.mail import models as mail
from portal.mailings import models as mailings
from portal.notices import models as notices
from portal.recalls import models as recalls
from portal.releases import models as releases
from portal.reports import models as reports
from portal.tickets import desk_models as desk
from portal.tickets import models as tickets
from portal.tickets import rota_models as rota
from portal.updates import models as updates

__all__ = [
    "accounts",
    "audit",
    "authority",
    "backups",
    "couriers",
    "deliveries",
    "desk",
    "entitlements",
    "handovers",
    "inventory",
    "jobs",
    "kits",
    "mail",
    "mailings",
    "notices",
    "numbers",
    "recalls",
    "releases",
    "reports",
    "rota",
    "tickets",
    "updates",
]

metadata = Base.metadata
