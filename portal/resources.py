"""What the portal leans on, opened once and handed to whoever needs it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import Engine

from portal.clock import now
from portal.config import Config
from portal.db import Sessions, connect, sessions_on
from portal.mailer import Mailer, open_mailer
from portal.object_keys import keep_named
from portal.texting import Texter, open_texter
from signing import KeyFolder, OpenedKey
from storage import ObjectStore, open_store


@dataclass(frozen=True)
class Resources:
    config: Config
    engine: Engine
    sessions: Sessions
    store: ObjectStore
    keys: KeyFolder
    mailer: Mailer
    texter: Texter
    clock: Callable[[], datetime]

    def signer(self) -> OpenedKey:
        """The active release key, opened. Raises SigningError when there is none or it can't be opened."""
        return self.keys.signer(lambda _name: self.config.key_passphrase)


def open_resources(config: Config, clock: Callable[[], datetime] = now) -> Resources:
    """Open database, store, keys and mail as the configuration says; nothing is created or asked for yet.

    Sessions let no row name an object that the store has not.
    """
    if config.database.startswith("sqlite"):
        config.data.mkdir(parents=True, exist_ok=True)
    engine, store = connect(config.database), open_store(config.store)
    sessions = sessions_on(engine)
    keep_named(sessions, store)
    return Resources(
        config=config,
        engine=engine,
        sessions=sessions,
        store=store,
        keys=KeyFolder(Path(config.keys)),
        mailer=open_mailer(config.mail),
        texter=open_texter(config.texting),
        clock=clock,
    )
