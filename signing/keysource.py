"""Where a portal's release key is: a folder of keys, or one key in a key service."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from signing.keyfolder import KeyFolder
from signing.keyring import KeyRecord, KeyRing
from signing.keys import OpenedKey, PublicKey, Secrets, open_signer


class KeySource(Protocol):
    """What the portal asks of its keys, wherever they are."""

    def records(self) -> tuple[KeyRecord, ...]: ...

    def active(self) -> KeyRecord: ...

    def ring(self) -> KeyRing: ...

    def signer(self, secrets: Secrets) -> OpenedKey: ...


@dataclass
class ServiceKey:
    """One key by its address, with no dates. To rotate such keys, keep them in a KeyFolder by their addresses.

    `pinned` is the public key that it must be; without it the service is asked, once.
    """

    address: str
    secrets: Secrets
    pinned: PublicKey | None = None

    def records(self) -> tuple[KeyRecord, ...]:
        return (self.active(),)

    def active(self) -> KeyRecord:
        """Raises as `signing.keys.open_signer` does."""
        if self.pinned is None:
            self.pinned = open_signer(self.address, self.secrets).public
        return KeyRecord(self.pinned, address=self.address)

    def ring(self) -> KeyRing:
        return KeyRing(self.records())

    def signer(self, secrets: Secrets) -> OpenedKey:
        return open_signer(self.address, secrets, self.pinned)


def key_source(setting: str, secrets: Secrets) -> KeySource:
    """A key address (`awskms:…`, `hsm:…`, `file:….pem`) or else the path of a key folder."""
    if setting.startswith(("awskms:", "hsm:", "file:")):
        return ServiceKey(setting, secrets)
    return KeyFolder(Path(setting))
