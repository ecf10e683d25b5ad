"""The notice of a withdrawal on paper, for holders whom no e-mail reaches."""

from datetime import datetime

from portal.deliveries.states import CHANNEL_TITLES
from portal.documents.report import Report, render_report
from portal.documents.wording import Wording
from portal.errors import mark
from portal.recalls.letters import NOT_REPLACED, REPLACED
from portal.recalls.models import Holding
from portal.recalls.wording import medium_in
from portal.releases.models import Release

TITLE = mark("Withdrawn: %(product)s %(version)s")
REQUEST = mark("Please remove the release wherever it is kept, and answer by the code on this page.")
FACTS = {
    "holder": mark("Holder"),
    "delivery": mark("Delivery"),
    "came": mark("It came by"),
    "medium": mark("Data medium"),
    "place": mark("Place"),
    "withdrawn": mark("Withdrawn on"),
    "reason": mark("Reason"),
    "instead": mark("Instead"),
}


def notice(holding: Holding, replacement: Release | None, *, sender: str, address: str, at: datetime) -> bytes:
    """One page as PDF in the holder's language; needs the holding's customer, delivery, release and product.

    `replacement` only where this customer may know of it; `sender` is who asks, `address` where the answer is given.
    """
    wording, release = Wording(holding.language), holding.recall.release
    _, zone = wording.translate, holding.organisation.time_zone
    values = {
        "holder": f"{holding.holder_name}, {holding.organisation.name}",
        "delivery": holding.delivery.number or "",
        "came": _(CHANNEL_TITLES[holding.channel]),
        "medium": medium_in(holding.medium, _),
        "place": holding.place,
        "withdrawn": wording.local_day(release.withdrawn_at, zone) if release.withdrawn_at else "",
        "reason": release.withdrawn_because or "",
        "instead": _(REPLACED) % {"version": replacement.version} if replacement else _(NOT_REPLACED),
    }
    report = Report(
        title=_(TITLE) % {"product": release.product.name, "version": release.version},
        subtitle=_(REQUEST),
        facts=tuple((_(FACTS[name]), value) for name, value in values.items() if value),
        tables=(),
        language=holding.language,
        at=at,
        author=sender,
        qr=address,
    )
    return render_report(report)
