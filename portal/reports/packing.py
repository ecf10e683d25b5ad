"""A statement as an archive that anybody can check: paper, data, and the vendor's signature over the list of both."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.evidence.packing import archive, canonical
from portal.evidence.verifying import Fault, Unreadable, members, shown
from portal.mail.words import translator
from portal.reports import papers
from portal.reports.content import FORMAT
from signing import SUMS, SUMS_SIGNATURE, KeyRing, Signer, SigningError, digests_in, render_sums

PAPER, DATA, READ_ME = "statement.pdf", "statement.json", "READ-ME.txt"


@dataclass(frozen=True)
class Findings:
    """`faults` is empty when the statement is true; `statement` says whose it is, and of which month."""

    faults: tuple[Fault, ...]
    statement: str = ""

    @property
    def is_true(self) -> bool:
        return not self.faults


def pack(content: dict[str, Any], signer: Signer) -> bytes:
    """The archive's bytes. Raises what the signer raises."""
    files = {
        PAPER: papers.paper(content),
        DATA: canonical(content),
        READ_ME: translator(content["language"])(papers.READ_ME).encode(),
    }
    sums = render_sums({name: hashlib.sha256(data).hexdigest() for name, data in files.items()})
    return archive(files | {SUMS: sums, SUMS_SIGNATURE: signer.sign(sums).der})


def verify(data: bytes, keys: KeyRing) -> Findings:
    """True, or what was changed, by name; no network and no database."""
    try:
        files = members(data)
    except Unreadable as error:
        return Findings((error.fault,))
    missing = [name for name in (SUMS, SUMS_SIGNATURE, PAPER, DATA, READ_ME) if name not in files]
    if missing:
        return Findings(tuple(Fault("file-missing", name) for name in missing))
    try:
        signed_by = keys.signer_of(files[SUMS], files[SUMS_SIGNATURE], what=SUMS)
        digests = digests_in(files[SUMS])
    except SigningError as error:
        return Findings((Fault(error.code, SUMS),))
    faults = list(_differing(digests, files))
    try:
        content = json.loads(files[DATA])
        said = shown(f"{content['customer']['code']} {content['month']}")
        issued_at = datetime.fromisoformat(content["issued_at"])
        if content["format"] != FORMAT:
            faults.append(Fault("format-unknown", str(content["format"])[:60]))
        signed_by.require_trusted(issued_at)
    except SigningError as error:
        faults.append(Fault(error.code, SUMS_SIGNATURE))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        return Findings((*faults, Fault("statement-malformed", type(error).__name__)))
    return Findings(tuple(faults), said)


def _differing(digests: dict[str, str], files: dict[str, bytes]) -> list[Fault]:
    present = {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name not in (SUMS, SUMS_SIGNATURE)
    }
    faults = [Fault("file-missing", name) for name in sorted(digests.keys() - present.keys())]
    faults += [Fault("file-not-listed", name) for name in sorted(present.keys() - digests.keys())]
    same = sorted(digests.keys() & present.keys())
    return faults + [Fault("file-changed", name) for name in same if digests[name] != present[name]]
