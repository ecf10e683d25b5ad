"""Papers are read back as a reader's program sees them, and say what they were given, whatever that is."""

import hashlib
import io
import re
import struct
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from portal.documents.act import (
    Act,
    ActDelivery,
    ActKind,
    CodeConfirmed,
    IdentityShown,
    Party,
    Power,
    act_paper,
    render_act,
)
from portal.documents.codes import digest_words, short_digest
from portal.documents.errors import PictureUnusable
from portal.documents.facts import FileLine, Medium, ReleaseLine
from portal.documents.labels import AddressLabel, SealLabel, render_address_label, render_seal_label
from portal.documents.notes import NotesPaper, render_notes
from portal.documents.packing import PackingList, render_packing_list
from portal.documents.paper import BREAK, TEMPLATES, png
from portal.documents.report import Report, ReportTable, render_report

AT = datetime(2026, 11, 23, 21, 5, 12, tzinfo=UTC)
STROKES = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 30 10"><path d="M1 7C9 1 9 1 29 7" stroke="#000"/></svg>'
)
ADDRESS = "https://releases.example.org/receipt/7KQ4-9XTM-2H"
MARKUP = '#read("/etc/passwd") $x^2$ \\ *b* _i_ `c` @ref <label> // no /* no */ = no #import "@preview/x:1.0.0"'


def digest(value):
    return hashlib.sha256(str(value).encode()).hexdigest()


KIT = digest("kit")


def files(count):
    return tuple(FileLine(f"image-{i:02d}.bin", 1_000_000 + i, digest(i)) for i in range(count))


def act(count=2, **facts):
    signer = Party(
        "Пётр Иванов", "ПАО «Магистраль»", "инженер", IdentityShown("Паспорт", "4509 123456"),
        Power("12/26", date(2026, 1, 15), "Орлов", date(2026, 12, 31)), STROKES, CodeConfirmed("SMS", "+7 9•• 41", AT),
    )  # fmt: skip
    delivery = ActDelivery("D-2026-000123", "OVMF", "2025.02", files(count), Medium("USB", "SN-7F3A"))
    plain = Act(
        ActKind.ACCEPTANCE, "A-2026-00017", AT, "Europe/Moscow", "Moscow", Party("Anna Sokolova", "Vendor Ltd"), signer,
        (delivery,), ("First paragraph.", "Второй абзац."), Party("Mary Witness", "Vendor Ltd"), digest("record"),
    )  # fmt: skip
    return replace(plain, **facts)


def packing(**facts):
    plain = PackingList(
        "D-2026-000123", AT, "Europe/Moscow", "Vendor Ltd", "Пётр Иванов", "ПАО «Магистраль»", "Мойка, 61\nкомната 118",
        "+7 812 555-01-23", (ReleaseLine("OVMF", "2025.02", files(2)),), Medium("USB", "SN-7F3A", 64 * 10**9),
        "B-0048812", "kit.tar", 7_316_480, KIT, ADDRESS, "7KQ4-9XTM-2H", date(2026, 12, 7), "DHL", "1408", "+7 495",
    )  # fmt: skip
    return replace(plain, **facts)


def address_label(**facts):
    plain = AddressLabel(
        "D-2026-000123", AT, "Vendor Ltd\nLondon", "+7 495", "Пётр Иванов", "ПАО «Магистраль»",
        "Мойка, 61\nкомната 118", "+7 812", KIT, ADDRESS, "B-0048812", "DHL", "1408",
    )  # fmt: skip
    return replace(plain, **facts)


def seal_label(**facts):
    plain = SealLabel("D-2026-000123", AT, "B-0048812", "ПАО «Магистраль»", "SN-7F3A", KIT, ADDRESS, "+7 495")
    return replace(plain, **facts)


def notes(*sections, language="en"):
    return NotesPaper("OVMF", "2025.02", "maintenance", date(2026, 11, 20), language, sections, "Vendor Ltd")


def report(language, rows=2):
    table = ReportTable(
        "Держатели", ("Who", "What"), tuple((f"row {i}", f"cell {i}") for i in range(rows)), (2, 1), (1,)
    )
    empty = ReportTable("Later", ("Who",), ())
    return Report("Recall", "OVMF 2025.02", (("Withdrawn", "2026"),), (table, empty), language, AT, qr=ADDRESS)


def text_of(pdf):
    """All text of all pages, as one line; places where words may break are left out."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).replace(BREAK, "").split())


def pages_of(pdf):
    return len(PdfReader(io.BytesIO(pdf)).pages)


LABEL_FACTS = ["D-2026-000123", "B-0048812", "ПАО «Магистраль»", short_digest(KIT), "+7 495"]
EN, RU = (" ".join(digest_words(KIT, language)) for language in ("en", "ru"))
PAPERS = {
    "act": (
        lambda language: render_act(act(), language),
        ["A-2026-00017", "Moscow", "Anna Sokolova", "Пётр Иванов", "12/26", "First paragraph.", "Второй абзац.",
         "D-2026-000123", "OVMF 2025.02", "SN-7F3A", "image-01.bin", digest(1), "+7 9•• 41", "Mary Witness",
         digest("record"), "(Europe/Moscow, UTC+03:00)"],
        ["Act of acceptance No.", "24 November 2026, 00:05:12", "valid until 31 December 2026", "1,000,001",
         " ".join(digest_words(digest(1), "en")), "Page 1 of 1"],
        ["Акт приёма-передачи №", "24 ноября 2026 г., 00:05:12", "действительна до 31 декабря 2026 г.", "1 000 001",
         " ".join(digest_words(digest(1), "ru")), "Страница 1 из 1"],
    ),
    "return": (
        lambda language: render_act(act(kind=ActKind.RETURN), language), ["A-2026-00017"],
        ["Act of return", "Returned items"], ["Акт возврата", "Возвращено"],
    ),
    "packing list": (
        lambda language: render_packing_list(packing(), language),
        ["D-2026-000123", "Пётр Иванов", "Мойка, 61", "комната 118", "+7 812 555-01-23", "SN-7F3A", "B-0048812", KIT,
         short_digest(KIT), ADDRESS, "7KQ4-9XTM-2H", "image-01.bin", digest(1), "DHL", "1408"],
        ["Packing list", "7 December 2026", "64 GB", *EN.split(), "How to confirm the receipt"],
        ["Упаковочный лист", "7 декабря 2026 г.", "64 ГБ", *RU.split(), "Как подтвердить получение"],
    ),
    "address label": (
        lambda language: render_address_label(address_label(), language), [*LABEL_FACTS, "Мойка, 61", "+7 812", "DHL"],
        ["Recipient", *EN.split()], ["Получатель", *RU.split()],
    ),
    "seal label": (
        lambda language: render_seal_label(seal_label(), language), [*LABEL_FACTS, "SN-7F3A"],
        ["If this seal is broken", *EN.split()], ["Если пломба нарушена", *RU.split()],
    ),
    "notes": (
        lambda language: render_notes(notes(("Summary", "Fixes **two** issues"), language=language)),
        ["OVMF 2025.02", "Summary", "Fixes two issues", "maintenance"],
        ["Release notes", "20 November 2026"], ["Примечания к выпуску", "20 ноября 2026 г."],
    ),
    "report": (
        lambda language: render_report(report(language)), ["Recall", "Держатели", "cell 1", "Withdrawn 2026", ADDRESS],
        ["Nothing.", "Page 1 of 1"], ["Ничего нет.", "Страница 1 из 1"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_says_all_it_was_given_in_its_language(name, language):
    make, always, english, russian = PAPERS[name]
    pdf = make(language)
    text = text_of(pdf)
    assert [fact for fact in [*always, *(english if language == "en" else russian)] if fact not in text] == []
    assert pages_of(pdf) == 1
    assert PdfReader(io.BytesIO(pdf)).trailer["/Root"]["/Lang"] == language
    assert b"pdfaid:part" in pdf
    assert b"pdfuaid:part" in pdf
    assert make(language) == pdf


def test_a_paper_is_dated_by_what_it_says_and_not_by_when_it_was_made():
    assert PdfReader(io.BytesIO(render_act(act(), "en"))).metadata.creation_date == AT
    assert PdfReader(io.BytesIO(render_notes(notes()))).metadata.creation_date == datetime(2026, 11, 20, tzinfo=UTC)


def test_papers_are_looked_at_as_pictures():
    pages = png(act_paper(act(60), "ru"), 20)
    assert len(pages) > 1
    assert all(page.startswith(b"\x89PNG") for page in pages)


def test_no_more_than_four_characters_of_an_identity_document_are_printed():
    text = text_of(render_act(act(), "en"))
    assert "Passport" not in text
    assert "Паспорт … 3456" in text
    assert "123456" not in text


def test_sixty_files_fill_pages_whose_tables_and_numbers_go_on():
    pdf = render_act(act(60), "en")
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]
    assert "Act of acceptance A-2026-00017. Deliveries: 1. Files: 60." in text_of(pdf)
    assert all("Delivery D-2026-000123. OVMF 2025.02" in page for page in pages[:-1])
    assert all(f"Page {number} of {len(pages)}" in page for number, page in enumerate(pages, 1))
    text = text_of(pdf)
    assert all(file.name in text and file.sha256 in text for file in files(60))


def test_labels_keep_to_one_page_whatever_they_are_given():
    long = "Щ" * 200
    lines = "\n".join(f"line {number}" for number in range(1000))
    facts = {"organisation": long, "seal": long, "number": long}
    assert pages_of(render_seal_label(seal_label(serial=long, phone=long, **facts), "ru")) == 1
    label = address_label(recipient=long, address=lines, sender=lines, phone=long, carrier=long, **facts)
    pdf = render_address_label(label, "ru")
    assert pages_of(pdf) == 1
    assert "line 10 …" in text_of(pdf)
    assert "Щ" * 200 in text_of(pdf).replace(" ", "")


def test_long_names_are_broken_and_stay_whole():
    long = "ы" * 200
    pdf = render_act(act(place=long, handed_by=Party(long, long, long), paragraphs=(long,)), "ru")
    assert text_of(pdf).replace(" ", "").count(long) >= 5


@pytest.mark.parametrize("language", ["en", "ru"])
def test_markup_of_others_is_printed_as_written(language):
    party = Party(MARKUP, MARKUP, MARKUP)
    medium = Medium(MARKUP, MARKUP)
    delivery = ActDelivery(MARKUP, MARKUP, MARKUP, (FileLine(MARKUP, 1, KIT),), medium)
    made = [
        render_act(
            act(number=MARKUP, place=MARKUP, handed_by=party, deliveries=(delivery,), paragraphs=(MARKUP,)), language
        ),
        render_packing_list(packing(recipient=MARKUP, address=MARKUP, medium=medium, kit_name=MARKUP), language),
        render_address_label(address_label(recipient=MARKUP, address=MARKUP), language),
        render_seal_label(seal_label(organisation=MARKUP), language),
        render_notes(notes((MARKUP, f"```\n{MARKUP}\n```"), language=language)),
        render_report(replace(report(language), title=MARKUP, facts=((MARKUP, MARKUP),))),
    ]
    squeezed = MARKUP.replace(" ", "")
    assert [squeezed in text_of(pdf).replace(" ", "") for pdf in made] == [True] * len(made)


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(st.characters(), max_size=120),
    markdown=st.text(st.sampled_from("a *_`#>-|[]()<!\\\n1.:~&;x"), max_size=200),
)
def test_no_text_breaks_a_paper(text, markdown):
    party = Party(text, text, text, IdentityShown(text, text), Power(text, AT.date(), text), None)
    delivery = ActDelivery(text, text, text, (FileLine(text, 0, KIT),), Medium(text, text))
    pdf = render_act(act(number=text, handed_by=party, deliveries=(delivery,), paragraphs=(text, text)), "ru")
    assert pdf.startswith(b"%PDF-")
    assert pages_of(render_address_label(address_label(recipient=text, address=text, sender=text), "en")) == 1
    assert pages_of(render_seal_label(seal_label(organisation=text, number=text), "en")) == 1
    assert render_notes(notes((text, text), (text, markdown))).startswith(b"%PDF-")


@pytest.mark.parametrize("character", ["\0", "\x1b", "\u202e", "\u2066", "\ud800", "\ufffe", "\x85"])
def test_what_can_not_be_shown_is_seen_to_be_missing(character):
    assert "ab\ufffdcd" in text_of(render_act(act(place=f"ab{character}cd"), "en"))


def test_a_letter_that_no_font_has_makes_a_plain_pdf():
    pdf = render_act(act(place="東京"), "en")
    assert b"pdfaid:part" not in pdf
    assert "A-2026-00017" in text_of(pdf)


def png_of(width, height, body=None):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    pixels = zlib.compress(b"\0" + b"\x20" * width) if body is None else body
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def signed(picture):
    return render_act(act(handed_by=Party("Anna", "Vendor", signature=picture)), "en")


def test_a_signature_is_drawn_from_a_png_as_from_strokes():
    without = render_act(act(handed_by=Party("Anna", "Vendor")), "en")
    assert len({without, signed(png_of(8, 1)), signed(STROKES)}) == 3


@pytest.mark.parametrize(
    "picture",
    [
        b"GIF89a", b"\xff\xd8\xff", b"<html></html>", b"<svg", b"\x89PNG\r\n\x1a\n", png_of(8, 1)[:-20],
        png_of(60_000, 60_000), png_of(0, 0), png_of(8, 1, b"no pixels"), STROKES + b" " * 600_000,
        b'<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>', b'<svg><image href="file:///etc/passwd"/></svg>',
        b"<svg><text>I owe you everything</text></svg>", b'<svg><path style="fill:url(http://x)"/></svg>',
        b"<svg><style>@import</style></svg>", b"<svg><script>1</script></svg>", b'<svg><use href="#a"/></svg>',
        b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0" href="x"/></svg>',
        b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"></svg>', b"<svg></svg>\xff",
    ],
)  # fmt: skip
def test_other_pictures_are_refused(picture):
    with pytest.raises(PictureUnusable):
        signed(picture)


def test_a_report_refuses_rows_that_do_not_fit():
    table = ReportTable("Holders", ("Who", "What"), (("one",),))
    with pytest.raises(ValueError, match="Holders"):
        render_report(replace(report("en"), tables=(table,)))


def test_the_templates_ask_for_no_package_and_no_file():
    """Offline, and nothing of the machine gets onto paper."""
    sources = "".join(path.read_text() for path in TEMPLATES.glob("*.typ"))
    assert len(sources) > 1000
    assert re.findall(r"@preview|\bread\(|\beval\(|http", sources) == []
