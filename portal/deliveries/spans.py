"""Which bytes of a file have left, of several connections at once or one after the other. Pure."""

from collections.abc import Iterable

from portal.web.byte_ranges import Span

MOST_SPANS = 1000
"""No honest client leaves more holes; of one that does, the longest pieces are remembered."""


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same bytes in as few spans as possible, in order; empty ones are nothing."""
    whole: list[Span] = []
    for span in sorted((s for s in spans if s.length > 0), key=lambda s: s.start):
        if whole and span.start <= whole[-1].end:
            whole[-1] = Span(whole[-1].start, max(whole[-1].end, span.end))
        else:
            whole.append(span)
    if len(whole) > MOST_SPANS:
        whole = sorted(sorted(whole, key=lambda s: -s.length)[:MOST_SPANS], key=lambda s: s.start)
    return whole
