import pytest
from sqlalchemy import select

from portal.audit.models import AuditEvent
from portal.jobs.models import Job, JobState
from portal.permissions import OrganisationKind, Role
from tests.factories import make_organisation, make_person
from tests.portals import START


@pytest.fixture
def people(portal):
    with portal.sessions.begin() as session:
        vendor, customer = make_organisation(session, OrganisationKind.VENDOR), make_organisation(session)
        return {
            "admin": make_person(session, vendor, Role.ADMINISTRATOR).email,
            "auditor": make_person(session, vendor, Role.AUDITOR).email,
            "manager": make_person(session, customer, Role.CUSTOMER_MANAGER).email,
        }


@pytest.fixture
def jobs(portal):
    """One job in each state."""
    with portal.sessions.begin() as session:
        facts = {"arguments": {"subject": "<i>x</i>"}, "created_at": START, "run_at": START}
        made = {state: Job(name=f"test.{state}", state=state, **facts) for state in JobState}
        made[JobState.DEAD].attempts, made[JobState.DEAD].last_error = 12, "RuntimeError: <b>on fire</b>"
        session.add_all(made.values())
    return made


def test_dead_jobs_stand_first_with_their_last_error(portal, people, jobs):
    page = portal.signed_in(people["auditor"]).get("/jobs/").text
    places = [page.index(f"test.{state}") for state in ("dead", "running", "queued", "done")]
    assert places == sorted(places)
    assert "&lt;b&gt;on fire" in page
    assert "<i>x" not in page


def test_one_state_is_shown_alone(portal, people, jobs):
    page = portal.signed_in(people["auditor"]).get("/jobs/?state=queued").text
    assert "test.queued" in page
    assert "test.dead" not in page
    assert portal.signed_in(people["auditor"]).get("/jobs/?state=nonsense").status_code == 404


def test_a_dead_job_is_tried_again_and_it_is_recorded(portal, people, jobs):
    browser, job_id = portal.signed_in(people["admin"]), jobs[JobState.DEAD].id
    assert "Try again" in browser.get("/jobs/").text
    assert browser.submit(f"/jobs/{job_id}/retry", page="/jobs/").location == "/jobs/"
    with portal.sessions() as session:
        job = session.get_one(Job, job_id)
        noted = session.scalars(select(AuditEvent).where(AuditEvent.tag == "job.retry")).one()
    assert (job.state, job.attempts, job.run_at) == (JobState.QUEUED, 0, START)
    assert (noted.subject_id, noted.subject_name) == (str(job_id), "test.dead")


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING, JobState.DONE])
def test_a_job_that_is_not_dead_is_left_alone(portal, people, jobs, state):
    answer = portal.signed_in(people["admin"]).submit(f"/jobs/{jobs[state].id}/retry", page="/jobs/")
    assert answer.status_code == 409
    assert "job-not-dead" in answer.text


def test_the_auditor_looks_and_a_customer_does_not(portal, people, jobs):
    retry = f"/jobs/{jobs[JobState.DEAD].id}/retry"
    assert portal.signed_in(people["auditor"]).submit(retry, page="/jobs/").status_code == 403
    assert "Try again" not in portal.signed_in(people["auditor"]).get("/jobs/").text
    assert portal.signed_in(people["manager"]).get("/jobs/").status_code == 403
    assert portal.browser().get("/jobs/").status_code == 303


def test_a_job_that_is_not_there_is_not_found(portal, people):
    missing = "/jobs/00000000-0000-0000-0000-000000000000/retry"
    assert portal.signed_in(people["admin"]).submit(missing, page="/account").status_code == 404
