from portal.actors import PORTAL_JOB
from portal.audit.models import AuditEvent
from portal.audit.service import Tag, record
from portal.clock import now


def test_chain(sessions):
    with sessions.begin() as s:
        record(s, Tag.SIGN_IN, by=PORTAL_JOB, at=now(), a=1)
    with sessions.begin() as s:
        assert [e.sequence for e in s.query(AuditEvent)] == [1]
