"""Markdown from people we don't trust, as tokens: no HTML, no pictures, no link that leads nowhere good.

Pages and papers show the same: they differ in what they make of the tokens. Work is bounded by the depth of a text's
nesting and the room that its links may take; callers bound its length themselves.
"""

import re
from collections.abc import Iterable

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, paragraph, table
from markdown_it.rules_inline import StateInline, image
from markdown_it.token import Token

MAX_DEPTH = 12
"""Levels of quotes (one each) and lists (two each); what is deeper is shown as plain paragraphs."""
MAX_LINK_CHARS = 2_000
MAX_LINKED_CHARS = 600_000
"""All addresses of a text together. One reference can be named ten thousand times, and would fill the memory; this is
six times the longest text, what percent-encoding makes of a Cyrillic letter, so that no honest text is touched."""
MAX_TABLE_CELLS = 20_000
"""Once a text's tables have more, further ones stay as they are written. A short row is filled up to the width of its
head, 65,536 cells a table (the library's own limit), and a text of hundreds of such tables would take a minute."""

MAX_REREAD_LINES = 20_000
"""A quote first looks how far it might reach, and when a line that is not quoted ends it sooner, all from there on is
read again. Once that has happened to so many lines, `>` is shown as written: in a text that alternates a quoted fence
with a bare line it would take minutes."""

# Absolute only, and no user name in front of the host: `https://portal.example@evil.example` deceives.
_HOST = r"(?:[\w.-]+|\[[0-9a-f:.]+\])"
_LINK = re.compile(
    rf"https?://{_HOST}(?::[0-9]{{1,5}})?(?:[/?#][^\s\\]*)?|mailto:[^@?\s]+@{_HOST}(?:\?\S*)?", re.IGNORECASE | re.ASCII
)
# Control characters, halves of surrogate pairs (no UTF-8 has them), and the signs that turn the direction of writing,
# with which a digest or a file name can be shown other than it is.
UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def tamed(markdown: str) -> list[Token]:
    """The tokens of CommonMark with tables and strikethrough, every link absolute (http, https, mailto) or hidden.

    A picture's description stays, the picture does not. What can't be shown becomes U+FFFD, except what entities
    (`&#x202e;`) spell: whoever shows the tokens replaces that once more (`UNSHOWABLE`).
    """
    tokens = PARSER.parse(UNSHOWABLE.sub("\ufffd", markdown))
    room = MAX_LINKED_CHARS
    for token in tokens:
        if token.children:
            room = _tame_links(token.children, room)
    return tokens


def may_be_linked(address: str) -> bool:
    return len(address) <= MAX_LINK_CHARS and _LINK.fullmatch(address) is not None


def _tame_links(tokens: Iterable[Token], room: int) -> int:
    """Hide the links that lead nowhere good, stand in another or no longer have room; returns the room left."""
    hidden: list[bool] = []
    for token in tokens:
        if token.type == "link_open":
            address = str(token.attrs.get("href", ""))
            fits = len(address) <= room and may_be_linked(address)
            token.hidden = not fits or not all(hidden)
            token.attrs = {"href": address}
            room -= 0 if token.hidden else len(address)
            hidden.append(token.hidden)
        elif token.type == "link_close":
            token.hidden = hidden.pop()
    return room


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802, ARG002 - the library's name and signature
        """Every address is parsed as one, so that a bad link or picture leaves its text, not its source."""
        return True


def _picture(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the library's signature
    """In place of the library's rule: a picture is its description, and nothing is fetched from anywhere."""
    start, maximum = state.pos, state.posMax
    if not image(state, True):
        return False
    end = state.pos
    if not silent:
        label_end = state.md.helpers.parseLinkLabel(state, start + 1, False)
        state.pos, state.posMax = start + len("!["), label_end
        state.push("picture_open", "", 1).hidden = True
        state.md.inline.tokenize(state)
        state.push("picture_close", "", -1).hidden = True
        state.pos, state.posMax = end, maximum
    return True


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - the library's signature
    cells = state.env.setdefault("cells", 0)
    before = len(state.tokens)
    if cells > MAX_TABLE_CELLS or not table(state, start, end, silent):
        return False
    state.env["cells"] = cells + sum(token.type in {"th_open", "td_open"} for token in state.tokens[before:])
    return True


def _quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - the library's signature
    reread = state.env.setdefault("reread", 0)
    if reread > MAX_REREAD_LINES:
        return False
    reach = state.env.setdefault("reach", {})
    inside = state.level + 1
    reach[inside] = start
    if not blockquote(state, start, end, silent):
        return False
    if not silent:
        state.env["reread"] += max(0, reach[inside] - state.line)
    return True


def _too_deep(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - the library's signature
    """Below `MAX_DEPTH` the library would leave the text out without a word; here it stays, as a plain paragraph."""
    state.env.setdefault("reach", {})[state.level] = end  # for `_quote`, which cannot see it
    return not silent and state.level >= MAX_DEPTH and paragraph(state, start, end, False)


def _parser() -> MarkdownIt:
    # The library's own limit stands a little deeper than ours: only a line's contents reach it, and lose nothing by it.
    parser = _Parser("commonmark", {"html": False, "maxNesting": MAX_DEPTH + 4})
    parser.enable(["table", "strikethrough"]).disable(["html_block", "html_inline"])
    parser.inline.ruler.at("image", _picture)
    parser.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    parser.block.ruler.at("blockquote", _quote, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.block.ruler.before("table", "too_deep", _too_deep)
    parser.parse("x")  # compiles the rules now: done by two threads at once, one of them would see none
    return parser


PARSER = _parser()
