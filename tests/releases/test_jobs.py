"""What is done behind everybody's back: a file read back and compared."""

import pytest

from portal.releases import jobs
from tests.factories import make_artifact, make_product, make_release
from tests.portals import START


@pytest.mark.parametrize(
    ("harm", "problem"),
    [
        (lambda _path: None, None),
        (lambda path: path.unlink(), jobs.MISSING),
        (lambda path: path.write_bytes(b"byte"), jobs.OTHER_SIZE),
        (lambda path: path.write_bytes(b"bytez"), jobs.OTHER_DIGEST),
    ],
)
def test_what_the_store_gives_back_is_compared(portal, harm, problem):
    with portal.sessions.begin() as session:
        artifact = make_artifact(session, portal.store, make_release(session, make_product(session), "1.0"))
        artifact.read_back_at = None
    path = portal.store.local_path(artifact.key)
    path.chmod(0o600)
    harm(path)
    jobs.read_back(portal.resources, at=START, artifact_id=str(artifact.id))
    with portal.sessions() as session:
        again = session.get_one(type(artifact), artifact.id)
        assert (again.read_back_at, again.read_back_problem) == (START, problem)
