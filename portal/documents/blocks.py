"""Markdown as a tree of plain values that a template lays out: blocks of runs of text."""

from collections.abc import Iterator

from markdown_it.token import Token

from portal.documents.markdown import UNSHOWABLE, tamed
from portal.documents.paper import Exact, Wide

Block = dict[str, object]

TOP_HEADING = 3
"""Below the name of the paper and the title of a section."""

MAX_WEIGHT, LINK_WEIGHT = 50_000, 10
"""Tokens of a text, links weighing more: an honest text of the greatest length has a third of it. Ten times as many
would take half a minute and hundreds of megabytes to lay out."""

STYLES = {"strong": "strong", "em": "emph", "s": "strike"}
TEXTS = {"text": "", "code_inline": "", "softbreak": " ", "hardbreak": "\n"}
"""Tokens that become text, and which where it is always the same."""
ALIGNMENTS = {"text-align:left": "left", "text-align:center": "center", "text-align:right": "right"}


def blocks(markdown: str) -> list[Block]:
    """The text as a list of blocks, each a mapping with its `kind`:

    `paragraph` and `heading` (with `level`) hold `runs`; `list` (`start`: a number, or None for bullets) holds `items`,
    each a list of blocks; `quote` holds `blocks`; `code` holds `text`; `table` holds `head` and `rows` of cells with
    their `runs` and `align`; `rule` holds nothing. A run is a `text` with its `styles`, or an `address` after a link.

    A text of more than `MAX_WEIGHT` parts becomes one block of code, as it was written.
    """
    tokens = tamed(markdown)
    if sum(map(_weight, tokens)) > MAX_WEIGHT:
        return [{"kind": "code", "text": UNSHOWABLE.sub("\ufffd", markdown)}]
    _nest_headings(tokens)
    return _children(iter(tokens), "")


def _weight(token: Token) -> int:
    inner = token.children or ()
    return 1 + sum(LINK_WEIGHT if child.type == "link_open" else 1 for child in inner)


def _nest_headings(tokens: list[Token]) -> None:
    """Levels without gaps, from `TOP_HEADING` on: a PDF for everybody has to have them (ISO 14289-1, 7.4.2)."""
    above: list[str] = []
    for token in tokens:
        if token.type == "heading_open":
            while above and above[-1] >= token.tag:
                above.pop()
            above.append(token.tag)
            token.tag = f"h{TOP_HEADING + len(above) - 1}"


def _children(tokens: Iterator[Token], closing: str) -> list[Block]:
    found: list[Block] = []
    for token in tokens:
        if token.type == closing:
            break
        block = _block(token, tokens)
        if block is not None:
            found.append(block)
    return found


def _block(token: Token, tokens: Iterator[Token]) -> Block | None:
    block: Block | None = None
    match token.type:
        case "inline":
            block = {"kind": "paragraph", "runs": _runs(token)}
        case "heading_open":
            block = {"kind": "heading", "level": int(token.tag[1:]), "runs": _runs(next(tokens))}
        case "bullet_list_open" | "ordered_list_open":
            block = _list(token, tokens)
        case "blockquote_open":
            block = {"kind": "quote", "blocks": _children(tokens, "blockquote_close")}
        case "fence" | "code_block":
            block = {"kind": "code", "text": token.content.rstrip("\n")}
        case "table_open":
            block = _table(tokens)
        case "hr":
            block = {"kind": "rule"}
    return block


def _list(token: Token, tokens: Iterator[Token]) -> Block:
    closing = token.type.replace("_open", "_close")
    start = int(token.attrs.get("start", 1)) if token.type.startswith("ordered") else None
    items: list[list[Block]] = []
    for inner in tokens:
        if inner.type == closing:
            break
        items.append(_children(tokens, "list_item_close"))
    return {"kind": "list", "start": start, "items": items}


def _table(tokens: Iterator[Token]) -> Block:
    rows: list[list[Block]] = []
    align = "left"
    for token in tokens:
        match token.type:
            case "table_close":
                break
            case "tr_open":
                rows.append([])
            case "th_open" | "td_open":
                align = ALIGNMENTS.get(str(token.attrs.get("style", "")), "left")
            case "inline":
                rows[-1].append({"runs": _runs(token), "align": align})
    return {"kind": "table", "head": rows[0], "rows": rows[1:]}


def _runs(token: Token) -> list[Block]:
    """A link's address follows its text, since paper can't be clicked; not where the text is the address itself."""
    runs: list[Block] = []
    styles: list[str] = []
    link_start = 0
    address = ""
    for child in token.children or ():
        name = child.type.removesuffix("_open").removesuffix("_close")
        if name == "link" and not child.hidden:
            if child.nesting > 0:
                link_start, address = len(runs), str(child.attrs["href"])
            elif _differs(runs[link_start:], address):
                runs.append({"address": Wide(_visible(address)), "target": Exact(address)})
        elif name in STYLES and child.nesting:
            _turn(styles, STYLES[name], child.nesting)
        elif child.type in TEXTS:
            runs.append(_run(child, styles))
    return runs


def _run(token: Token, styles: list[str]) -> Block:
    text = TEXTS[token.type] or UNSHOWABLE.sub("\ufffd", token.content)
    return {"text": text, "styles": [*styles, *(["code"] if token.type == "code_inline" else [])]}


def _turn(styles: list[str], style: str, nesting: int) -> None:
    if nesting > 0:
        styles.append(style)
    else:
        styles.remove(style)


def _differs(runs: list[Block], address: str) -> bool:
    return "".join(str(run.get("text", "")) for run in runs) not in {address, _visible(address)}


def _visible(address: str) -> str:
    return address.removeprefix("mailto:")
