"""The verbs before the signature: deliveries are prepared, an identity is checked, an act is opened with its text."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from portal import numbers
from portal.accounts.models import Organisation
from portal.actors import Actor
from portal.authority.models import AuthorizedPerson
from portal.deliveries import ledger
from portal.deliveries.kit_specs import kit_spec
from portal.deliveries.models import Delivery, DeliveryPolicy
from portal.deliveries.states import Channel, DeliveryState, EventKind
from portal.documents.act import ActKind
from portal.errors import NotFound
from portal.handovers import holding, texts
from portal.handovers.errors import EndingTooLong, IdentityNotChecked, NotForHandOver, SerialMissing
from portal.handovers.models import Act, ActItem, DocumentKind
from portal.kits.planning import existing
from portal.texts import one_line

ENDING = re.compile(r"[0-9A-ZА-ЯЁ]{4}")
LONGEST_PLACE, LONGEST_CONDITION, LONGEST_SERIAL, MOST_SERIALS = 200, 500, 100, 20
SERIES = "act"


@dataclass(frozen=True)
class Opening:
    """What the dispatcher says: which deliveries, what document was shown, where.

    `ending` is the document number's last four characters. `is_compared`: the name in the document is the name in the
    power of attorney. `media` (serials by delivery) and `condition` belong to an act of return.
    """

    delivery_ids: tuple[UUID, ...]
    document: DocumentKind
    ending: str
    place: str
    is_compared: bool
    kind: ActKind = ActKind.ACCEPTANCE
    media: Mapping[UUID, Sequence[str]] = field(default_factory=dict)
    condition: str = ""


def checked_ending(text: str) -> str:
    """The last four characters of a document's number, in capitals. Raises EndingTooLong for any other number."""
    ending = "".join(text.split()).upper()
    if not ENDING.fullmatch(ending):
        raise EndingTooLong
    return ending


def prepare(
    session: Session, delivery_ids: Iterable[UUID], kits: Mapping[UUID, str], *, by: Actor, at: datetime
) -> list[Delivery]:
    """Note that what was approved is ready to be handed over; what is prepared stays so.

    `kits` are the SHA-256 of the kits by delivery: what lies on the table. Raises SeveralRecipients, NotForHandOver,
    StepOutOfOrder, ProofMissing, KitTaken.
    """
    deliveries = holding.held(session, delivery_ids)
    holding.recipient_of(deliveries)
    for delivery in deliveries:
        if delivery.channel is not Channel.HAND_OVER:
            raise NotForHandOver(number=delivery.number or "")
        if delivery.state is DeliveryState.PREPARED:
            continue
        existing(session, kit_spec(delivery))  # made out to this recipient, who may have been changed meanwhile
        proof = {"sha256": kits.get(delivery.id, ""), "files": len(delivery.items)}
        ledger.step(session, delivery, DeliveryState.PREPARED, proof, by=by, at=at)
    return deliveries


def open_act(session: Session, opening: Opening, *, by: Actor, at: datetime) -> Act:
    """Note that the identity was checked, and freeze the text of the act in the recipient's language.

    The authority to receive and to sign, and the customer's right to each release, are decided anew. Raises
    SeveralRecipients, IdentityNotChecked, EndingTooLong, SerialMissing, what `holding.require_free` raises,
    NotEntitled, NotAuthorized.
    """
    if not opening.is_compared:
        raise IdentityNotChecked
    ending = checked_ending(opening.ending)
    deliveries = holding.held(session, opening.delivery_ids)
    person = holding.recipient_of(deliveries)
    holding.require_free(session, deliveries, kind=opening.kind)
    answers = holding.standing(session, deliveries, kind=opening.kind, at=at)
    act = _act(session, opening, ending, person, by=by, at=at)
    powers = holding.powers_behind(session, answers)
    act.power = powers[0] | {"others": powers[1:], "until": answers[deliveries[0].id]["authority"]["until"]}
    media = _media(opening, deliveries)
    holding.require_not_back(session, deliveries, media)
    act.record = texts.frozen(_said(act, opening, powers, deliveries, _staff(session, by), media))
    act.text_sha256 = texts.digest(act.record)
    act.items = [
        ActItem(delivery_id=one.id, position=position, medium_serials=media.get(one.number or "", []))
        for position, one in enumerate(deliveries, start=1)
    ]
    session.add(act)
    _note_identity(session, act, deliveries, by=by, at=at)
    return act


def identity(act: Act) -> dict[str, Any]:
    """What an event keeps of the document that was shown."""
    return {"name": act.recipient["name"], "document": act.document_kind.value, "ending": act.document_ending}


def _act(session: Session, opening: Opening, ending: str, person: AuthorizedPerson, *, by: Actor, at: datetime) -> Act:
    organisation = session.get_one(Organisation, person.organisation_id)
    policy = session.get(DeliveryPolicy, person.organisation_id)
    return Act(
        id=uuid4(),
        number=f"A-{numbers.take(session, SERIES):06d}",
        kind=opening.kind,
        organisation_id=organisation.id,
        organisation=organisation,
        recipient_id=person.id,
        recipient={"name": person.name, "email": person.email, "phone": person.phone, "language": person.language},
        document_kind=opening.document,
        document_ending=ending,
        language=person.language,
        time_zone=organisation.time_zone,
        place=one_line(opening.place, limit=LONGEST_PLACE),
        handed_by_id=by.person_id,
        handed_by_name=by.name,
        wants_witness=bool(policy and policy.wants_witness),
        submission=uuid4().hex,
        opened_at=at,
    )


def _staff(session: Session, by: Actor) -> str:
    organisation = session.get(Organisation, by.organisation_id) if by.organisation_id else None
    if organisation is None:
        raise NotFound
    return organisation.name


def _said(
    act: Act, opening: Opening, powers: list[dict[str, Any]], deliveries: list[Delivery], vendor: str,
    media: dict[str, list[str]],
) -> texts.Said:  # fmt: skip
    return texts.Said(
        kind=act.kind,
        number=act.number,
        language=act.language,
        at=act.opened_at,
        time_zone=act.time_zone,
        place=act.place,
        staff=act.handed_by_name,
        vendor=vendor,
        recipient=act.recipient,
        customer=act.organisation.name,
        document=act.document_kind,
        ending=act.document_ending,
        powers=powers,
        deliveries=deliveries,
        media=media,
        condition=one_line(opening.condition, limit=LONGEST_CONDITION) if act.kind is ActKind.RETURN else "",
    )


def _media(opening: Opening, deliveries: list[Delivery]) -> dict[str, list[str]]:
    """The serials that come back, by delivery number. Raises SerialMissing for a delivery of which none does."""
    if opening.kind is not ActKind.RETURN:
        return {}
    found = {}
    for delivery in deliveries:
        serials = [one_line(serial, limit=LONGEST_SERIAL) for serial in opening.media.get(delivery.id, ())]
        if not 0 < len(serials) <= MOST_SERIALS:
            raise SerialMissing
        found[delivery.number or ""] = list(dict.fromkeys(serials))
    return found


def _note_identity(session: Session, act: Act, deliveries: list[Delivery], *, by: Actor, at: datetime) -> None:
    for delivery in deliveries:
        evidence = {"act_number": act.number, "identity": identity(act), "power": act.power["number"]}
        ledger.note(session, delivery, EventKind.IDENTITY_CHECKED, evidence, by=by, at=at)
