"""Who works on which device just now: what the rooms below ask this one."""

from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from portal.updates.models import UpdateDevice, UpdateRequest
from portal.updates.states import UpdateState


def is_engineer_of_running_update(session: Session, device_id: UUID, person_id: UUID) -> bool:
    """Whether the person runs an update of the device now."""
    running = exists().where(
        UpdateDevice.update_id == UpdateRequest.id,
        UpdateDevice.device_id == device_id,
        UpdateRequest.engineer_id == person_id,
        UpdateRequest.state == UpdateState.RUNNING,
    )
    return bool(session.scalar(select(running)))
