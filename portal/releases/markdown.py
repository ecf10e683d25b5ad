"""Release notes and ticket messages: Markdown from people we don't trust, into HTML that a page may carry.

Three walls, each enough for most attacks: the parser makes no HTML of HTML and no pictures; its tokens lose every link
that does not lead to a web page or a mailbox; the finished HTML goes through an allow-list. Work is bounded by the
length of the text, the depth of its nesting and the room that its links may take.
"""

import nh3
from markupsafe import Markup

from portal.documents.markdown import PARSER, UNSHOWABLE, may_be_linked, tamed
from portal.errors import InvalidInput, mark

MAX_NOTES_CHARS = 100_000

_TOP_HEADING, _LOWEST_HEADING = 3, 6

_CLEANER = nh3.Cleaner(
    tags={
        *("p", "br", "hr", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "pre", "code"),
        *("em", "strong", "s", "a", "table", "thead", "tbody", "tr", "th", "td"),
    },
    attributes={"a": {"href"}, "ol": {"start"}},
    attribute_filter=lambda _tag, name, value: None if name == "href" and not may_be_linked(value) else value,
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
    tokens = tamed(markdown)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1:]) + _TOP_HEADING - 1, _LOWEST_HEADING)}"
    html = _CLEANER.clean(PARSER.renderer.render(tokens, PARSER.options, {}))
    # Once more: an entity (`&#x202e;`) has become a character since.
    return Markup(UNSHOWABLE.sub("\ufffd", html))  # noqa: S704 - it has just been cleaned
