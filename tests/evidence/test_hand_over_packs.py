"""The pack of a hand-over as its rooms leave it: an insider who seals it anew is contradicted by its entries."""

import hashlib
import json

import pytest

from portal.evidence.packing import EVIDENCE, SEAL, archive, canonical
from portal.evidence.verifying import members, verify
from signing import Seal, sign_seal
from tests.evidence.test_packs import module_portal
from tests.handovers.conftest import build

PAPER = "acts/A-000001.pdf"
NO_PAPER = "act-paper-missing-or-changed: acts"


@pytest.fixture(scope="module")
def handed(tmp_path_factory):
    """The pack of a delivery that was signed for, and a way to seal an altered one with the portal's own key."""
    with module_portal(tmp_path_factory.mktemp("hand-over")) as portal:
        world = build(portal)
        world.ask("one", "ivan")
        act = world.opened("one")
        assert world.sign(act, world.send_code(act)).status_code == 303
        delivery_id = world.deliveries["one"]
        data = world.of("dispatcher").get(f"/deliveries/{delivery_id}/evidence.zip").data
        resources, at = portal.resources, portal.clock()

        def sealed(files):
            entries = json.loads(files[EVIDENCE])["entries"]
            digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
            seal = Seal(str(delivery_id), len(entries), entries[-1]["hash"], at, digests)
            return archive(files | {SEAL: sign_seal(seal, resources.signer())})

        yield data, resources.keys.ring(), sealed


def put(*path, value):
    def change(files):
        document = holder = json.loads(files[EVIDENCE])
        *way, last = path
        for step in way:
            holder = holder[step]
        holder[last] = value
        files[EVIDENCE] = canonical(document)

    return change


def fewer_files(files):
    document = json.loads(files[EVIDENCE])
    document["files"].pop()
    files[EVIDENCE] = canonical(document)


INSIDE = {
    "the paper of the act": (lambda files: files.update({PAPER: files[PAPER] + b" "}), NO_PAPER),
    "the paper is gone": (lambda files: files.pop(PAPER), NO_PAPER),
    "the recipient": (put("delivery", "recipient", "name", value="Пётр"), "request-differs: recipient"),
    "where codes went": (put("delivery", "recipient", "phone", value="+70000000000"), "request-differs: recipient"),
    "the channel": (put("delivery", "channel", value="email"), "request-differs: channel"),
    "the place": (put("delivery", "destination", value={"label": "HQ"}), "request-differs: destination"),
    "a file left out": (fewer_files, "request-differs: files"),
    "a size": (put("files", 0, "size_bytes", value=1), "file-not-in-release: tool.bin"),
}  # fmt: skip


@pytest.mark.parametrize("what", INSIDE)
def test_what_an_insider_alters_is_named_by_the_entries(handed, what):
    data, ring, sealed = handed
    change, said = INSIDE[what]
    files = {name: content for name, content in members(data).items() if name != SEAL}
    assert verify(sealed(files), ring).faults == ()
    change(files)
    assert said in {str(fault) for fault in verify(sealed(files), ring).faults}


def test_a_recipient_who_was_changed_on_record_is_the_one_who_counts(portal):
    world = build(portal)
    delivery_id = world.ask("one", "ivan")
    page = f"/deliveries/{delivery_id}/recipient"
    answer = world.of("dispatcher").submit(page, recipient=str(world.recipients["namesake"].id), reason="Ill")
    assert answer.status_code == 303, answer.text
    data = world.of("dispatcher").get(f"/deliveries/{delivery_id}/evidence.zip").data
    document = json.loads(members(data)[EVIDENCE])
    assert document["delivery"]["recipient"]["email"] == "sokolov-2@alpha.example"
    assert verify(data, portal.resources.keys.ring()).faults == ()
