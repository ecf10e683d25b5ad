"""The notice of a withdrawal on paper, for holders whom no e-mail reaches."""

from datetime import datetime

from portal.deliveries.states import CHANNEL_TITLES
from portal.documents.report import Report, render_report
from portal.errors import mark
from portal.mail.words import translator
from portal.recalls.models import Holding
from portal.recalls.wording import medium_in

TITLE = mark("Withdrawn: %(product)s %(version)s")
REQUEST = mark("Please remove the release wherever it is kept, and answer by the code on this page.")
FACTS = {
    "holder": mark("Holder"),
    "came": mark("It came by"),
    "medium": mark("Data medium"),
    "place": mark("Place"),
    "withdrawn": mark("Withdrawn on"),
    "reason": mark("Reason"),
}


def notice(holding: Holding, address: str, at: datetime) -> bytes:
    """One page as PDF in the holder's language; needs the holding's customer, release and product."""
    translate, release = translator(holding.language), holding.recall.release
    values = {
        "holder": f"{holding.holder_name}, {holding.organisation.name}",
        "came": translate(CHANNEL_TITLES[holding.channel]),
        "medium": medium_in(holding.medium, translate),
        "place": holding.place,
        "withdrawn": f"{release.withdrawn_at:%Y-%m-%d}" if release.withdrawn_at else "",
        "reason": release.withdrawn_because or "",
    }
    report = Report(
        title=translate(TITLE) % {"product": release.product.name, "version": release.version},
        subtitle=translate(REQUEST),
        facts=tuple((translate(FACTS[name]), value) for name, value in values.items() if value),
        tables=(),
        language=holding.language,
        at=at,
        qr=address,
    )
    return render_report(report)
