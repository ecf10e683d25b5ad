"""Markdown as blocks and runs: what a template lays out."""

import time

import pytest

from portal.documents.blocks import blocks
from portal.documents.notes import NotesPaper, render_notes


def run(text, *styles):
    return {"text": text, "styles": list(styles)}


def paragraph(*runs):
    return {"kind": "paragraph", "runs": list(runs)}


LINK = "https://e.example/a"


@pytest.mark.parametrize(
    ("markdown", "tree"),
    [
        ("a **b _c_** ~~d~~ `e`", [paragraph(
            run("a "), run("b ", "strong"), run("c", "strong", "emph"), run(" "), run("d", "strike"), run(" "),
            run("e", "code"),
        )]),
        ("a\nb\\\nc", [paragraph(run("a"), run(" "), run("b"), run("\n"), run("c"))]),
        (f"[a]({LINK})", [paragraph(run("a"), {"address": LINK, "target": LINK})]),
        (f"<{LINK}>", [paragraph(run(LINK))]),
        ("<a@e.example>", [paragraph(run("a@e.example"))]),
        ("[a](javascript:x) [b](//e.example)", [paragraph(run("a"), run(" "), run("b"))]),
        ("![a](https://e.example/p.png)", [paragraph(run("a"))]),
        ("<b>x</b>", [paragraph(run("<b>x</b>"))]),
        ("- a\n  1. b\n- c", [{"kind": "list", "start": None, "items": [
            [paragraph(run("a")), {"kind": "list", "start": 1, "items": [[paragraph(run("b"))]]}],
            [paragraph(run("c"))],
        ]}]),
        ("7. a", [{"kind": "list", "start": 7, "items": [[paragraph(run("a"))]]}]),
        ("> a\n> > b", [{"kind": "quote", "blocks": [
            paragraph(run("a")), {"kind": "quote", "blocks": [paragraph(run("b"))]},
        ]}]),
        ("```sh\na  *b*\n```\n\n---", [{"kind": "code", "text": "a  *b*"}, {"kind": "rule"}]),
        ("|a|b|\n|-|-:|\n|c|", [{
            "kind": "table",
            "head": [{"runs": [run("a")], "align": "left"}, {"runs": [run("b")], "align": "right"}],
            "rows": [[{"runs": [run("c")], "align": "left"}, {"runs": [], "align": "right"}]],
        }]),
        ("&#x202e;", [paragraph(run("\ufffd"))]),
    ],
)  # fmt: skip
def test_markdown_becomes_blocks(markdown, tree):
    found = blocks(markdown)
    assert drop_empty(found) == tree


def drop_empty(value):
    """Without the empty texts that the parser leaves around emphasis."""
    if isinstance(value, list):
        return [drop_empty(inner) for inner in value if not (isinstance(inner, dict) and inner.get("text") == "")]
    if isinstance(value, dict):
        return {key: drop_empty(inner) for key, inner in value.items()}
    return value


def test_levels_of_headings_have_no_gaps():
    assert [block["level"] for block in blocks("#### a\n\n## b\n\n## c\n\n##### d\n\n# e")] == [3, 3, 3, 4, 3]


@pytest.mark.parametrize(
    "markdown",
    [
        "- a\n" * 25_000, "# a\n" * 25_000, "a\n\n" * 33_000, "x" * 100_000, "*a* " * 25_000, ">" * 200 + " x",
        "[a]: https://e.example/y\n\n" + "[a] " * 24_000, "|" + "a|" * 900 + "\n|" + "-|" * 900 + "\n" + "|b|\n" * 20,
    ],
    ids=["bullets", "headings", "paragraphs", "one word", "emphasis", "depth", "links", "table"],
)  # fmt: skip
def test_the_longest_notes_are_a_matter_of_seconds(markdown):
    started = time.monotonic()
    pdf = render_notes(NotesPaper("OVMF", "1", "patch", None, "en", (("Summary", markdown),)))
    assert pdf.startswith(b"%PDF-")
    assert time.monotonic() - started < 20


def test_what_is_beyond_reason_is_printed_as_written():
    text = "- a\n" * 25_000
    assert blocks(text) == [{"kind": "code", "text": text}]
