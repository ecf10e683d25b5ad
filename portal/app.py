"""The one place where everything meets: resources, kernel, domains, menu."""

import logging
from collections.abc import Callable
from datetime import datetime

from flask import Flask
from flask_bootstrap import Bootstrap5
from sqlalchemy.orm import Session
from werkzeug.middleware.proxy_fix import ProxyFix

from portal.accounts import api as accounts_api
from portal.accounts import jobs as accounts_jobs  # noqa: F401 - its handlers name themselves
from portal.accounts import presence
from portal.accounts import queries as accounts_queries
from portal.accounts import routes as accounts
from portal.actors import Actor
from portal.audit import jobs as audit_jobs  # noqa: F401 - its handlers name themselves
from portal.audit import routes as audit
from portal.audit import service as audit_service
from portal.authority import api as authority_api
from portal.authority import jobs as authority_jobs  # noqa: F401 - its handlers name themselves
from portal.authority import routes as authority
from portal.backups import api as backups_api
from portal.backups import jobs as backups_jobs  # noqa: F401 - its handlers name themselves
from portal.backups import routes as backups
from portal.catalogue import api as catalogue_api
from portal.catalogue import routes as catalogue
from portal.clock import now
from portal.config import KIB, Config, from_environment
from portal.couriers import jobs as couriers_jobs  # noqa: F401 - its handlers name themselves
from portal.couriers import routes as couriers
from portal.deliveries import api as deliveries_api
from portal.deliveries import jobs as deliveries_jobs  # noqa: F401 - its handlers name themselves
from portal.deliveries import routes as deliveries
from portal.entitlements import api as entitlements_api
from portal.entitlements import queries as entitlements_queries
from portal.entitlements import routes as entitlements
from portal.errors import PortalError, mark
from portal.evidence import routes as evidence
from portal.handovers import jobs as handovers_jobs  # noqa: F401 - its handlers name themselves
from portal.handovers import routes as handovers
from portal.inventory import api as inventory_api
from portal.inventory import routes as inventory
from portal.jobs import routes as jobs
from portal.jobs.models import Job
from portal.mail import inbox as mail_inbox  # noqa: F401 - its handlers name themselves
from portal.mailings import jobs as mailings_jobs  # noqa: F401 - its handlers name themselves
from portal.mailings import link_pages as mail_links
from portal.mailings import pages as mailings
from portal.notices import jobs as notices_jobs  # noqa: F401 - its handlers name themselves
from portal.permissions import Permission
from portal.plans import api as plans_api
from portal.plans import routes as plans
from portal.recalls import jobs as recalls_jobs  # noqa: F401 - its handlers name themselves
from portal.recalls import routes as recalls
from portal.reconciliation import jobs as reconciliation_jobs  # noqa: F401 - its handlers name themselves
from portal.releases import api as releases_api
from portal.releases import jobs as releases_jobs  # noqa: F401 - its handlers name themselves
from portal.releases import routes as releases
from portal.releases.markdown import render
from portal.reports import jobs as reports_jobs  # noqa: F401 - its handlers name themselves
from portal.reports import routes as reports
from portal.resources import Resources, open_resources
from portal.tickets import alarms as tickets_alarms  # noqa: F401 - its handlers name themselves
from portal.tickets import api as tickets_api
from portal.tickets import (  # noqa: F401 - they hang on the ticket pages' blueprint, and name their own handlers
    assessing_pages,
    attachment_pages,
    contact_pages,
    desk_pages,
    export_pages,
    fixing_jobs,
    incoming,
    intake_pages,
    mail_pages,
    telling,
)
from portal.tickets import board_pages as desk
from portal.tickets import programmes_pages as programmes
from portal.tickets import rota_pages as rota
from portal.tickets import routes as tickets
from portal.updates import api as updates_api
from portal.updates import engineers
from portal.updates import jobs as updates_jobs  # noqa: F401 - its handlers name themselves
from portal.updates import routes as updates
from portal.web import errors, formats, guard, headers, locale, unit_of_work
from portal.web.menu import Area, Entry, install_menu

LARGEST_FORM_BYTES = 2048 * KIB
LARGEST_FORM_PARTS = 2000

BLUEPRINTS = (
    catalogue.bp, reports.bp, updates.bp, plans.bp,
    evidence.bp, recalls.bp, backups.bp, handovers.bp, mail_links.bp, mailings.bp, couriers.bp,
    couriers.receipt_bp,
    deliveries.bp, tickets.bp, desk.bp, rota.bp, programmes.bp, entitlements.bp, authority.bp, inventory.bp,
    releases.bp, accounts.bp, audit.bp, jobs.bp,
    catalogue_api.bp, updates_api.bp, plans_api.bp, backups_api.bp,
    deliveries_api.bp, tickets_api.bp, entitlements_api.bp, authority_api.bp,
    inventory_api.bp, releases_api.bp,
    accounts_api.bp,
)  # fmt: skip

MENU = (
    Area(
        mark("Products"),
        (
            Entry("catalogue.home", mark("Products"), Permission.CATALOGUE_READ, ("entitlements",)),
            Entry("backups.copies", mark("Our backup copies"), Permission.CATALOGUE_READ),
        ),
    ),
    Area(
        mark("Releases"),
        (
            Entry("releases.index", mark("Releases"), Permission.RELEASES_READ),
            Entry("releases.issues", mark("Issues"), Permission.RELEASES_READ),
        ),
    ),
    Area(mark("Contracts"), (Entry("entitlements.contracts", mark("Contracts"), Permission.CONTRACTS_READ),)),
    Area(
        mark("Deliveries"),
        (
            Entry("deliveries.index", mark("List"), Permission.DELIVERIES_READ, ("mailings",)),
            Entry("deliveries.board_page", mark("Board"), Permission.HOLDERS_READ),
            Entry("couriers.index", mark("Parcels"), Permission.DELIVERIES_READ),
            Entry("handovers.index", mark("Acts"), Permission.DELIVERIES_READ),
            Entry("recalls.index", mark("Recalls"), Permission.DELIVERIES_READ),
            Entry("authority.people", mark("Authorized persons"), Permission.AUTHORITY_READ),
        ),
    ),
    Area(
        mark("Tickets"),
        (
            Entry("desk.show", mark("Engineers' board"), Permission.TICKETS_WORK),
            Entry("tickets.call", mark("A call"), Permission.TICKETS_WORK),
            Entry("tickets.index", mark("Tickets"), Permission.TICKETS_READ),
            Entry("tickets.held_mails", mark("Held mail"), Permission.TICKETS_WORK),
            Entry("tickets.contact_list", mark("Contacts"), Permission.TICKETS_READ),
            Entry("rota.week", mark("Rota"), Permission.TICKETS_WORK),
            Entry("programmes.index", mark("Service programmes"), Permission.CONTRACTS_MANAGE),
        ),
    ),
    Area(
        mark("Devices"),
        (
            Entry("plans.devices", mark("Devices"), Permission.INVENTORY_READ),
            Entry("plans.sites", mark("Sites"), Permission.INVENTORY_READ),
            Entry("updates.index", mark("Updates"), Permission.UPDATES_READ),
            Entry("updates.calendar", mark("Calendar"), Permission.UPDATES_READ),
        ),
    ),
    Area(
        mark("Reports"),
        (
            Entry("reports.index", mark("Answered in time"), Permission.REPORTS_READ),
            Entry("reports.releases", mark("From publication to installation"), Permission.REPORTS_READ),
            Entry("reports.statements", mark("Monthly statements"), Permission.REPORTS_READ),
        ),
    ),
    Area(
        mark("Administration"),
        (
            Entry("accounts.people", mark("People"), Permission.PEOPLE_READ),
            Entry("audit.index", mark("Audit"), Permission.AUDIT_READ),
            Entry("jobs.index", mark("Jobs"), Permission.JOBS_READ),
        ),
    ),
)


def open_portal(config: Config, clock: Callable[[], datetime] = now) -> Resources:
    """The portal without its pages, for commands and workers: resources whose sessions keep the audit chain."""
    resources = open_resources(config, clock)
    audit_service.chain_on(resources.sessions)
    return resources


def create_app(config: Config | None = None, resources: Resources | None = None) -> Flask:
    """The portal as a WSGI application.

    Raises ConfigError naming everything that is wrong with the environment, when no configuration is given.
    """
    config = resources.config if resources else config or from_environment()
    resources = resources or open_portal(config)
    app = Flask("portal", template_folder="web/templates", static_folder="web/static")
    app.config.update(flask_settings(config))
    app.extensions["portal"] = resources
    if config.behind_proxies:
        hops = config.behind_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    Bootstrap5(app)
    unit_of_work.install(app, errors.answer)
    guard.install(app, presence.load_actor)
    headers.install(app, is_https=config.is_https)
    errors.install(app, record_refusal(resources))
    formats.install(app)
    app.jinja_env.filters["markdown"] = render
    presence.install(app)
    audit.name_organisations(app, accounts_queries.organisation_names)
    authority.know_products(app, entitlements_queries.products_known)
    backups.ask_updates(app, engineers.is_engineer_of_running_update)
    jobs.note_retries(app, note_retry)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    locale.install(app)
    install_menu(app, MENU)
    return app


def flask_settings(config: Config) -> dict[str, object]:
    """What Flask and its extensions want to know, said from our configuration."""
    return {
        "SECRET_KEY": config.secret_key,
        "MAX_CONTENT_LENGTH": LARGEST_FORM_BYTES,
        "MAX_FORM_MEMORY_SIZE": LARGEST_FORM_BYTES,  # too long a text is refused beside its field, and nothing is lost
        "MAX_FORM_PARTS": LARGEST_FORM_PARTS,
        "PERMANENT_SESSION_LIFETIME": config.session_for,
        "SESSION_COOKIE_NAME": "portal",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": config.is_https,
        "WTF_CSRF_TIME_LIMIT": None,  # a form lives as long as its session
        "BOOTSTRAP_SERVE_LOCAL": True,
        "BABEL_DEFAULT_LOCALE": config.default_language,
        "PORTAL_DEMO": config.demo,
    }


def note_retry(session: Session, job: Job, by: Actor, at: datetime) -> None:
    audit_service.record(session, audit_service.Tag.JOB_RETRY, by=by, at=at, subject=job, named=job.name)


def record_refusal(resources: Resources) -> Callable[[PortalError, Actor], None]:
    """The note of a refusal, written after the request was rolled back; it must never turn a refusal into a fault."""

    def note(error: PortalError, by: Actor) -> None:
        try:
            with resources.sessions.begin() as session:
                audit_service.record(
                    session,
                    audit_service.Tag.REFUSED,
                    by=by,
                    at=resources.clock(),
                    code=error.code,
                    details={name: str(value) for name, value in error.facts.items()},
                )
        except Exception:
            logging.getLogger(__name__).exception("a refusal could not be recorded")

    return note
