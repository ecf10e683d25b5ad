"""Who may store a device's backup, and who may look into one (P11)."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.orm import Session

from portal.actors import Actor
from portal.backups.errors import BackupNotYours
from portal.backups.models import DeviceBackup
from portal.errors import Forbidden
from portal.inventory.models import Device
from portal.permissions import OrganisationKind, Permission

IsEngineer = Callable[[Session, UUID, UUID], bool]
"""Whether the person (its id is last) is the engineer of a running update of the device (its id is first)."""


def nobody(_session: Session, _device_id: UUID, _person_id: UUID) -> bool:
    """The answer while no room of updates gives one."""
    return False


def require_store(device: Device, by: Actor) -> None:
    """The device's own customer, or the support centre. Raises Forbidden."""
    is_own = by.is_customer and by.organisation_id == device.organisation_id
    if not by.may(Permission.BACKUPS) or not (is_own or by.kind is OrganisationKind.SUPPORT):
        raise Forbidden


def may_read(session: Session, backup: DeviceBackup, by: Actor, *, is_engineer: IsEngineer = nobody) -> bool:
    """Its own customer always; an engineer of the support centre while they run an update of the device."""
    if not by.may(Permission.BACKUPS):
        return False
    if by.is_customer:
        return by.organisation_id == backup.organisation_id
    if by.kind is not OrganisationKind.SUPPORT or by.person_id is None:
        return False
    return is_engineer(session, backup.device_id, by.person_id)


def require_read(session: Session, backup: DeviceBackup, by: Actor, *, is_engineer: IsEngineer = nobody) -> None:
    """Raises BackupNotYours."""
    if not may_read(session, backup, by, is_engineer=is_engineer):
        raise BackupNotYours
