"""What a recipient sees: the link's page without a sign-in, and behind the one-time code the files.

A GET changes nothing: programs that look at every link in a message send no code and use none up. The secret stands
in the first address only; behind the code the pages have another one, which is worth nothing without the cookie.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, flash, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import refresh

from portal.actors import PORTAL_JOB, Actor
from portal.authority import codes
from portal.authority.codes import Checked
from portal.authority.models import CodePurpose
from portal.config import LANGUAGES, Downloads
from portal.deliveries import queries as deliveries
from portal.deliveries.models import Delivery
from portal.entitlements import queries as entitlements
from portal.entitlements import service as agreements
from portal.errors import NotFound, Refused
from portal.kits import service as kits
from portal.mailings import cookies, links, redaction, service, taking
from portal.mailings.agreeing import missing_agreements
from portal.mailings.errors import CodeNotRight, DigestOfNone, LinkSessionOver, NotAllTaken
from portal.mailings.forms import CodeForm, VerifiedForm
from portal.mailings.models import MailLink
from portal.releases import queries as releases
from portal.releases.markdown import render
from portal.releases.models import SECTION_TITLES
from portal.web import files
from portal.web.byte_ranges import Span
from portal.web.files import OnSent, ServedFile
from portal.web.formats import now
from portal.web.guard import public
from portal.web.headers import keep_to_itself
from portal.web.locale import COOKIE, chosen_language
from portal.web.unit_of_work import let_go, resources, session
from signing import MANIFEST, SUMS, SUMS_SIGNATURE

bp = Blueprint("mail_links", __name__, template_folder="templates", url_prefix="/m")
bp.record_once(lambda state: redaction.install(state.app.logger))
bp.after_request(keep_to_itself)
REFUSED = 403


@dataclass(frozen=True)
class Shown:
    """A link behind its code: open, and this browser may see it."""

    link: MailLink
    delivery: Delivery


@bp.get("/<secret>")
@public
def arrive(secret: str) -> ResponseReturnValue:
    """Says nothing of what it is; offers to send a code, and takes one."""
    link, _delivery = _arrived(secret)
    if cookies.is_given(link, resources().config, now()):
        return redirect(url_for(".show", link_id=link.id), 303)
    return _door(secret, link, CodeForm())


@bp.post("/<secret>/code")
@public
def send_code(secret: str) -> ResponseReturnValue:
    link, _delivery = _arrived(secret)
    taking.send_code(session(), link.id, config=resources().config, address=_address(), at=now())
    return redirect(url_for(".arrive", secret=secret), 303)


@bp.post("/<secret>")
@public
def enter(secret: str) -> ResponseReturnValue:
    link, _delivery = _arrived(secret)
    form = CodeForm()
    status = 422
    if form.is_sent():
        checked = _tried(link.id, form.one_time_code.data or "")
        if checked.is_right:
            response = make_response(redirect(url_for(".show", link_id=link.id), 303))
            cookies.give(response, link, resources().config, now())
            return response
        error = CodeNotRight(checked.reason.value, checked.sentence, checked.tries_left)
        status = form.refuse(error, "one_time_code")
    return _door(secret, links.find(session(), secret), form), status


@bp.get("/at/<uuid:link_id>")
@public
def show(link_id: UUID) -> ResponseReturnValue:
    return _page(_shown(link_id), VerifiedForm())


@bp.get("/at/<uuid:link_id>/notes")
@public
def notes(link_id: UUID) -> ResponseReturnValue:
    """The release notes, for whoever may take the release."""
    shown = _shown(link_id)
    taking.require_standing_now(session(), shown.delivery, now())
    revision = releases.current_notes(session(), shown.delivery.release_id)
    texts = revision.texts if revision else {}
    chosen: dict[str, str] = texts.get(chosen_language()) or next(iter(texts.values()), {})
    sections = [(title, render(chosen[name])) for name, title in SECTION_TITLES.items() if chosen.get(name)]
    return render_template("mailings/notes.html", delivery=shown.delivery, link=shown.link, sections=sections)


@bp.post("/at/<uuid:link_id>/agreements/<uuid:version_id>")
@public
def accept(link_id: UUID, version_id: UUID) -> ResponseReturnValue:
    _shown(link_id)
    opened = taking.open_link(session(), link_id, address=_address(), at=now())
    version = entitlements.asked_version(session(), version_id, opened.delivery.release.product_id, now())
    taking.accept(session(), opened, version, at=now())
    flash(_("Accepted, with your name and the time."))
    return redirect(url_for(".show", link_id=link_id), 303)


@bp.get("/at/<uuid:link_id>/files/<uuid:artifact_id>/<path:name>")
@public
def file(link_id: UUID, artifact_id: UUID, name: str) -> ResponseReturnValue:
    """One file, whole or in part; asked anew at each request whether it may be taken (P11, P12)."""
    shown = _shown(link_id)
    item = taking.item_of(session(), shown.delivery, artifact_id)
    if item.artifact.name != name:
        raise NotFound
    taking.require_takeable(session(), shown.delivery, now())
    served = ServedFile(
        key=item.artifact.key,
        name=item.artifact.name,
        size_bytes=item.size_bytes,
        sha256=item.sha256,
        modified_at=shown.delivery.release.published_at or item.artifact.uploaded_at,
    )
    let_go()
    return files.send(served, lambda span: _issue(link_id, artifact_id, span))


@bp.get("/at/<uuid:link_id>/kit/<path:name>")
@public
def kit(link_id: UUID, name: str) -> ResponseReturnValue:
    """The kit's archive, made while it is read."""
    shown = _shown(link_id)
    record = service.kit_of(session(), shown.delivery)
    if record is None or record.file_name != name:
        raise NotFound
    taking.require_takeable(session(), shown.delivery, now())
    store = resources().store
    served = ServedFile(
        key="",
        name=record.file_name,
        size_bytes=record.size_bytes,
        sha256=record.sha256,
        modified_at=record.built_at,
        made_by=lambda start, length: kits.open_kit(store, record, start, length),
    )
    let_go()
    return files.send(served, lambda span: _issue_kit(link_id, span))


@bp.get(f"/at/<uuid:link_id>/papers/<any('{SUMS}', '{SUMS_SIGNATURE}', '{MANIFEST}'):name>")
@public
def paper(link_id: UUID, name: str) -> ResponseReturnValue:
    """What was signed about the release."""
    shown = _shown(link_id)
    taking.require_takeable(session(), shown.delivery, now())
    signed = releases.publication(session(), shown.delivery.release_id)
    if signed is None:
        raise NotFound
    contents = {
        SUMS: (signed.sums.encode(), "text/plain; charset=utf-8"),
        SUMS_SIGNATURE: (signed.sums_signature, "application/octet-stream"),
        MANIFEST: (signed.manifest.encode(), "application/json"),
    }
    content, content_type = contents[name]
    return files.send_text(name, content, content_type=content_type)


@bp.post("/at/<uuid:link_id>/verified")
@public
def verified(link_id: UUID) -> ResponseReturnValue:
    _shown(link_id)
    form = VerifiedForm()
    status = 422
    if form.is_sent():
        try:
            _acknowledge(link_id, (form.sha256.data or "").strip() or None)
        except (DigestOfNone, NotAllTaken) as error:
            status = form.refuse(error, "sha256")
        else:
            flash(_("The receipt is confirmed."))
            return redirect(url_for(".show", link_id=link_id), 303)
    return _page(_shown(link_id), form, status)


@bp.post("/at/<uuid:link_id>/close")
@public
def close(link_id: UUID) -> ResponseReturnValue:
    """For a borrowed computer: the cookie is taken away."""
    shown = _shown(link_id)
    response = make_response(render_template("mailings/closed.html"))
    cookies.take_away(response, shown.link)
    return response


def _arrived(secret: str) -> tuple[MailLink, Delivery]:
    link = links.find(session(), secret)
    delivery = deliveries.get(session(), link.delivery_id, visible_to=PORTAL_JOB)
    _speak_to(delivery)
    links.require_open(link, delivery, now())
    return link, delivery


def _shown(link_id: UUID) -> Shown:
    """Raises LinkSessionOver, alike for a link that there is not, LinkExpired, LinkWithdrawn, LinkStopped."""
    link = session().get(MailLink, link_id)
    if link is None or not cookies.is_given(link, resources().config, now()):
        raise LinkSessionOver
    delivery = deliveries.get(session(), link.delivery_id, visible_to=PORTAL_JOB)
    _speak_to(delivery)
    links.require_open(link, delivery, now())
    return Shown(link, delivery)


def _speak_to(delivery: Delivery) -> None:
    """The page speaks the recipient's language, unless this reader chose another."""
    language = (delivery.recipient or {}).get("language")
    if request.cookies.get(COOKIE) not in LANGUAGES and language in LANGUAGES:
        g.language = language
        refresh()


def _door(secret: str, link: MailLink, form: CodeForm) -> str:
    sent = codes.latest(session(), CodePurpose.EMAIL_LINK, link.id)
    waits = sent if sent is not None and sent.used_at is None and now() < sent.expires_at else None
    return render_template("mailings/door.html", secret=secret, form=form, sent=waits)


def _tried(link_id: UUID, code: str) -> Checked:
    """In a transaction of its own: each try counts, whatever the page then answers."""
    at, address, config = now(), _address(), resources().config
    let_go()
    with resources().sessions.begin() as fresh:
        return taking.try_code(fresh, link_id, code, config=config, address=address, at=at)


def _acknowledge(link_id: UUID, sha256: str | None) -> None:
    at, address = now(), _address()
    let_go()
    with resources().sessions.begin() as fresh:
        opened = taking.open_link(fresh, link_id, address=address, at=at)
        is_right = taking.acknowledge(fresh, opened, sha256, at=at)
    if not is_right:
        raise taking.wrong_digest(sha256 or "")


def _page(shown: Shown, form: VerifiedForm, status: int = 200) -> ResponseReturnValue:
    delivery, refusal = shown.delivery, None
    try:
        taking.require_standing_now(session(), delivery, now())
    except Refused as error:
        refusal = error
    missing = [] if refusal else missing_agreements(session(), delivery, now())
    page = render_template(
        "mailings/link.html",
        delivery=delivery,
        link=shown.link,
        refusal=refusal,
        agreements=[_agreement(one.version_id, delivery) for one in missing],
        kit=service.kit_of(session(), delivery),
        papers=(SUMS, SUMS_SIGNATURE, MANIFEST),
        was_attached=service.was_attached(session(), delivery.id),
        form=form,
    )
    return page, REFUSED if refusal else status


def _agreement(version_id: UUID, delivery: Delivery) -> dict[str, object]:
    version = entitlements.asked_version(session(), version_id, delivery.release.product_id, now())
    text: dict[str, str] = version.texts.get(chosen_language()) or next(iter(version.texts.values()), {})
    return {
        "id": version.id,
        "title": text.get("title", version.agreement.code),
        "body": render(text.get("body", "")),
        "digest": agreements.text_digest(version.texts),
    }


def _issue(link_id: UUID, artifact_id: UUID, span: Span | None) -> OnSent:
    """Load and decide again in the transaction that writes: anything may have ended meanwhile."""
    opened = taking.open_link(session(), link_id, address=_address(), at=now())
    taking.issue(session(), opened, artifact_id, _evidence(span), at=now())
    return _recording(
        lambda fresh, sent, by, at: taking.record_sent(fresh, link_id, artifact_id, sent, by=by, at=at), opened.by
    )


def _issue_kit(link_id: UUID, span: Span | None) -> OnSent:
    opened = taking.open_link(session(), link_id, address=_address(), at=now())
    taking.issue_kit(session(), opened, _evidence(span), at=now())
    return _recording(lambda fresh, sent, by, at: taking.record_kit_sent(fresh, link_id, sent, by=by, at=at), opened.by)


def _recording(record: Callable[..., None], by: Actor) -> OnSent:
    sessions, clock = resources().sessions, resources().clock

    def recorded(sent: Span) -> None:
        with sessions.begin() as fresh:
            record(fresh, sent, by, clock())

    return recorded


def _evidence(span: Span | None) -> dict[str, object]:
    way = resources().config.downloads if span is None else Downloads.PORTAL
    return {
        "range": [span.start, span.end] if span else None,
        "way": way.value,
        "user_agent": request.user_agent.string[:300],
    }


def _address() -> str:
    return request.remote_addr or ""
