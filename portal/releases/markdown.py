"""Release notes and ticket messages: Markdown from people we don't trust, into HTML that a page may carry.

Three walls, each enough for most attacks: the parser makes no HTML of HTML and no pictures; its tokens lose every link
that does not lead to a web page or a mailbox; the finished HTML goes through an allow-list. Work is bounded by the
length of the text, the depth of its nesting and the room that its links may take.
"""

import re
from collections.abc import Iterable

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote, paragraph, table
from markdown_it.rules_inline import StateInline, image
from markdown_it.token import Token
from markupsafe import Markup

from portal.errors import InvalidInput, mark

MAX_NOTES_CHARS = 100_000
MAX_DEPTH = 12
"""Levels of quotes (one each) and lists (two each); what is deeper is shown as plain paragraphs."""
MAX_LINK_CHARS = 2_000
MAX_LINKED_CHARS = 6 * MAX_NOTES_CHARS
"""All addresses of a text together. One reference can be named ten thousand times, and would fill the memory; six is
what percent-encoding makes of a Cyrillic letter, so that no honest text is touched."""
MAX_TABLE_CELLS = 20_000
"""Once a text's tables have more, further ones stay as they are written. A short row is filled up to the width of its
head, 65,536 cells a table (the library's own limit), and a text of hundreds of such tables would take a minute."""

MAX_REREAD_LINES = 20_000
"""A quote first looks how far it might reach, and when a line that is not quoted ends it sooner, all from there on is
read again. Once that has happened to so many lines, `>` is shown as written: in a text that alternates a quoted fence
with a bare line it would take minutes."""

_TOP_HEADING, _LOWEST_HEADING = 3, 6

# Absolute only, and no user name in front of the host: `https://portal.example@evil.example` deceives.
_HOST = r"(?:[\w.-]+|\[[0-9a-f:.]+\])"
_LINK = re.compile(
    rf"https?://{_HOST}(?::[0-9]{{1,5}})?(?:[/?#][^\s\\]*)?|mailto:[^@?\s]+@{_HOST}(?:\?\S*)?", re.IGNORECASE | re.ASCII
)
# Control characters, halves of surrogate pairs (no UTF-8 has them), and the signs that turn the direction of writing,
# with which a digest or a file name can be shown other than it is.
_UNSHOWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_CLEANER = nh3.Cleaner(
    tags={
        *("p", "br", "hr", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "pre", "code"),
        *("em", "strong", "s", "a", "table", "thead", "tbody", "tr", "th", "td"),
    },
    attributes={"a": {"href"}, "ol": {"start"}},
    attribute_filter=lambda _tag, name, value: None if name == "href" and not _may_be_linked(value) else value,
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
)


class NotesTooLong(InvalidInput):
    """The text has `length` characters, and `limit` are the most that are kept and shown."""

    code = "notes-too-long"
    sentence = mark("The text has %(length)s characters; at most %(limit)s are possible.")

    def __init__(self, length: int, limit: int = MAX_NOTES_CHARS) -> None:
        super().__init__(length=length, limit=limit)


def render(markdown: str) -> Markup:
    """Safe HTML of CommonMark with tables and strikethrough, ready for a template (it is not escaped again).

    Headings start at h3, below the page's own. Pictures are left out and their description stays; links lead to
    absolute http, https and mailto addresses only, or become their text; HTML is shown as written. Characters that
    can't be shown become U+FFFD. Raises NotesTooLong above `MAX_NOTES_CHARS`.
    """
    if len(markdown) > MAX_NOTES_CHARS:
        raise NotesTooLong(len(markdown))
    tokens = _PARSER.parse(_UNSHOWABLE.sub("\ufffd", markdown))
    _tame(tokens)
    html = _CLEANER.clean(_PARSER.renderer.render(tokens, _PARSER.options, {}))
    # Once more: an entity (`&#x202e;`) has become a character since.
    return Markup(_UNSHOWABLE.sub("\ufffd", html))  # noqa: S704 - it has just been cleaned


def _may_be_linked(address: str) -> bool:
    return len(address) <= MAX_LINK_CHARS and _LINK.fullmatch(address) is not None


def _tame(tokens: Iterable[Token]) -> None:
    room = MAX_LINKED_CHARS
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1:]) + _TOP_HEADING - 1, _LOWEST_HEADING)}"
        elif token.children:
            room = _tame_links(token.children, room)


def _tame_links(tokens: Iterable[Token], room: int) -> int:
    """Hide the links that lead nowhere good, stand in another or no longer have room; returns the room left."""
    hidden: list[bool] = []
    for token in tokens:
        if token.type == "link_open":
            address = str(token.attrs.get("href", ""))
            fits = len(address) <= room and _may_be_linked(address)
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


_PARSER = _parser()
