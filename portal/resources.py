"""What the portal leans on, opened once and handed to whoever needs it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Engine

from portal.config import Config
from portal.db import Sessions
from portal.mailer import Mailer
from signing import KeyFolder
from storage import ObjectStore


@dataclass(frozen=True)
class Resources:
    config: Config
    engine: Engine
    sessions: Sessions
    store: ObjectStore
    keys: KeyFolder
    mailer: Mailer
    clock: Callable[[], datetime]
