"""What a message that came in says: sender, recipients, its own words without the quoted ones, its files. Pure.

Everything in it is a claim. HTML becomes plain text here and nothing of it is kept; files are bytes with a name.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage, Message
from email.utils import getaddresses
from html import unescape

from portal.mail.reports import header
from portal.mailer import clean
from portal.texts import keepable

SUBJECT_CHARS, SENDER_CHARS, NAME_CHARS = 200, 254, 200
WORDS_CHARS = 18_000
MOST_FILES = 50
MOST_RECIPIENTS = 20
"""Of a message to more people nobody is taken to follow the ticket."""
_READ_CHARS = 400_000
_RECIPIENT_HEADERS = ("delivered-to", "x-original-to", "envelope-to", "to", "cc")
_ADDRESS = re.compile(r"[^\s<>,;:()\[\]\"@]{1,200}@[^\s<>,;:()\[\]\"@]{1,200}")
_SKIPPED = {"script", "style", "head", "title", "template", "noscript", "svg", "math"}
_BREAKS = {"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "table", "ul", "ol", "pre"}
_PREFIX = re.compile(r"^\s*(?:(?:re|fwd?|aw|wg|на|ответ|пер)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_TICKET_IN_SUBJECT = re.compile(r"\[T-\d{1,12}\]\s*", re.IGNORECASE | re.ASCII)
_HISTORY = re.compile(
    r"^(?:-{2,}\s*(?:original message|forwarded message|исходное сообщение|пересылаемое сообщение)\s*-{2,}"
    r"|_{20,}"
    r"|(?:on|am|le)\b.{4,160}\b(?:wrote|schrieb|a écrit)\s*:"
    r"|.{4,160}(?:пишет|писал\(?а?\)?|написал\(?а?\)?|wrote)\s*:"
    r"|(?:from|от|von|de|отправитель)\s*:\s.+@.+)\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class File:
    name: str
    content: bytes


@dataclass(frozen=True)
class LetterIn:
    """`identity` tells the message from all others; `recipients` are addresses in lower case; `said` is Markdown.

    `authentication` is what the mail server that took the message in found (RFC 8601), "" where it says nothing.
    """

    identity: str
    sender: str
    sender_name: str
    recipients: tuple[str, ...]
    subject: str
    said: str
    references: str
    authentication: str
    loops: tuple[str, ...]
    files: tuple[File, ...]

    @property
    def is_to_many(self) -> bool:
        return len(self.recipients) > MOST_RECIPIENTS

    @property
    def title(self) -> str:
        """The subject as the title of a ticket; "" when it has none."""
        return _TICKET_IN_SUBJECT.sub("", _PREFIX.sub("", self.subject)).strip()[:SUBJECT_CHARS]

    @property
    def is_refused_by_server(self) -> bool:
        """The first `Authentication-Results` is our own server's; those that a sender wrote stand below it.

        What another domain vouches for says nothing of this sender (RFC 7489 §3.1): anybody can sign for himself.
        """
        said = self.authentication.lower()
        if "dmarc=pass" in said or "dmarc=fail" in said:
            return "dmarc=fail" in said
        vouching = [_vouching(part) for part in said.split(";") if _PASSED.match(part)]
        if vouching:
            return not any(_is_aligned(self.sender.rpartition("@")[2], domain) for domain in vouching)
        return "spf=fail" in said or "dkim=fail" in said


_PASSED = re.compile(r"\s*(?:spf|dkim)\s*=\s*pass\b")
_VOUCHING = re.compile(r"(?:header\.d|header\.i|smtp\.mailfrom|smtp\.helo)\s*=\s*\"?(?:[^\s@;\"]*@)?([^\s;\"]+)")


def _vouching(result: str) -> str:
    """The domain that a passed check is about; "" where the server does not say."""
    found = _VOUCHING.search(result)
    return found[1].strip(".") if found else ""


def _is_aligned(domain: str, other: str) -> bool:
    return not other or domain == other or domain.endswith(f".{other}") or other.endswith(f".{domain}")


def read_letter(message: EmailMessage, content: bytes) -> LetterIn:
    """What the message says; never raises for what is odd in it, and never reads more than it needs."""
    senders = _senders(message)
    name, sender = senders[0] if len(senders) == 1 else ("", "")  # several authors are nobody
    message_id = header(message, "Message-ID")
    written = [str(value) for name, value in message.raw_items() if name.lower() in _RECIPIENT_HEADERS]
    recipients = tuple(dict.fromkeys(clean(one).lower() for value in written for one in _ADDRESS.findall(value)))
    return LetterIn(
        identity=hashlib.sha256(message_id.encode(errors="replace") if message_id else content).hexdigest(),
        sender=sender[:SENDER_CHARS],
        sender_name=keepable(clean(name))[:NAME_CHARS],
        recipients=recipients,
        subject=keepable(header(message, "Subject"))[:SUBJECT_CHARS],
        said=as_markdown(own_words(_text(message))),
        references=" ".join((header(message, "References"), header(message, "In-Reply-To"))),
        authentication=header(message, "Authentication-Results"),
        loops=tuple(clean(str(value)).lower() for value in message.get_all("X-Loop", [])),
        files=tuple(_files(message)),
    )


def own_words(text: str) -> str:
    """The text without the history below it; the whole where nothing else would be left."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cut = next((place for place, line in enumerate(lines) if _HISTORY.match(line.strip()[:300])), len(lines))
    kept = lines[:cut]
    while kept and (not kept[-1].strip() or kept[-1].lstrip().startswith(">")):
        kept.pop()
    if not any(line.strip() and not line.lstrip().startswith(">") for line in kept):
        kept = lines
    return "\n".join(kept).strip()


def as_markdown(text: str) -> str:
    """Plain text for the thread: line ends stay, and it is cut where the thread holds no more."""
    text = keepable(text)
    shown = text if len(text) <= WORDS_CHARS else text[:WORDS_CHARS] + "\n\n[…]"
    return re.sub(r"(?<=\S)[ \t]*\n(?=\S)", "  \n", shown).strip()


def text_of_html(html: str) -> str:
    """The words of an HTML message: no script, no style, no picture, no address that loads; links show where they lead.

    What it quotes is marked as in plain text.
    """
    reader = _Words()
    for tag, is_end, attributes, data in _tokens(html[:_READ_CHARS]):
        if is_end:
            reader.end(tag)
        elif tag:
            reader.start(tag, attributes)
        else:
            reader.say(unescape(data))
    return reader.text()


_TOKEN = re.compile(r"<!--|<(/?)([a-z][a-z0-9:-]*)([^<>]*)>|<[!?][^<>]*>|[^<]+|<", re.IGNORECASE)
_HREF = re.compile(r"\bhref\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_RAW = {"script", "style", "title", "noscript"}


def _tokens(html: str) -> Iterator[tuple[str, bool, str, str]]:
    """(tag or "", whether it ends, its attributes, text). Each sign is looked at once or twice, however it is broken:
    the library's parser takes the square of the length of what was made to break it."""
    lowered, place = html.lower(), 0
    while place < len(html):
        found = _TOKEN.match(html, place)
        if found is None:
            return
        place = found.end()
        slash, tag, attributes = found[1] or "", (found[2] or "").lower(), found[3] or ""
        if found[0] == "<!--":
            place = _after(lowered, "-->", place)
        elif tag:
            if not slash and tag in _RAW:
                place = _after(lowered, ">", _after(lowered, f"</{tag}", place))
            elif not (attributes.endswith("/") and tag in _SKIPPED):
                yield tag, bool(slash), attributes, ""
        elif not found[0].startswith(("<!", "<?")):
            yield "", False, "", found[0]


def _after(text: str, words: str, place: int) -> int:
    """Behind the words; the end of the text where they do not come."""
    found = text.find(words, place)
    return len(text) if found < 0 else found + len(words)


class _Words:
    """What a reader of the page would read, line by line."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._hidden: list[str] = []
        self._quotes = 0
        self._links: list[str] = []

    def start(self, tag: str, attributes: str) -> None:
        if tag in _SKIPPED:
            self._hidden.append(tag)
        elif tag == "blockquote":
            self._break()
            self._quotes += 1
        elif tag in _BREAKS:
            self._break()
        if tag == "a":
            found = _HREF.search(attributes)
            self._links.append(unescape(found[1] or found[2] or found[3] or "") if found else "")

    def end(self, tag: str) -> None:
        if self._hidden and tag == self._hidden[-1]:
            self._hidden.pop()
        elif tag == "blockquote" and self._quotes:
            self._break()
            self._quotes -= 1
        elif tag in _BREAKS:
            self._break()
        if tag == "a" and self._links:
            address = self._links.pop()
            if address.startswith(("http://", "https://")) and address not in "".join(self._line[-9:]):
                self.say(f" ({address})")

    def say(self, data: str) -> None:
        if not self._hidden:
            words = re.sub(r"\s+", " ", data)
            if not self._line and words.strip():
                self._line.append("> " * min(self._quotes, 3))
            if self._line:
                self._line.append(words)

    def text(self) -> str:
        self._break()
        joined = "\n".join(line.rstrip() for line in self._lines)
        return re.sub(r"\n{3,}", "\n\n", joined).strip()

    def _break(self) -> None:
        line = "".join(self._line)
        if line.strip() or (self._lines and self._lines[-1]):
            self._lines.append(line)
        self._line = []


def _senders(message: EmailMessage) -> list[tuple[str, str]]:
    """(name, address in lower case), which people without manners fill with anything."""
    try:
        written = [clean(str(value)) for value in message.get_all("From", [])]
    except Exception:  # noqa: BLE001 - parsing of structured headers fails in ways of its own
        return []
    return [(name, address.lower()) for name, address in getaddresses(written) if "@" in address]


def _text(message: EmailMessage) -> str:
    """The plain part, else the words of the HTML one."""
    plain = _body(message, "plain")
    return plain if plain.strip() else text_of_html(_body(message, "html"))


def _body(message: EmailMessage, kind: str) -> str:
    try:
        part = message.get_body(preferencelist=(kind,))
    except Exception:  # noqa: BLE001 - walks structures that were made to break it
        return ""
    return _decoded(part)[:_READ_CHARS] if part is not None else ""


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    try:
        return content.decode(part.get_content_charset() or "utf-8", errors="replace")
    except (LookupError, ValueError):  # a character set that nobody knows
        return content.decode("utf-8", errors="replace")


def _files(message: EmailMessage) -> Iterator[File]:
    """The parts that are files: whatever has a name or is no text. A forwarded message is one file."""
    found = 0
    for part in _leaves(message):
        name = _name(part)
        is_words = part.get_content_maintype() == "text" and not name and part.get_content_disposition() != "attachment"
        if is_words or found >= MOST_FILES:
            continue
        content = _bytes(part)
        if content:
            found += 1
            yield File(name or f"part-{found}", content)


def _leaves(message: Message) -> Iterator[Message]:
    payload = message.get_payload()
    if message.get_content_maintype() == "multipart" and isinstance(payload, list):
        for part in payload:
            if isinstance(part, Message):
                yield from _leaves(part)
    else:
        yield message


def _bytes(part: Message) -> bytes:
    payload = part.get_payload()
    if isinstance(payload, list):  # a forwarded message
        return b"".join(one.as_bytes() for one in payload if isinstance(one, Message))
    decoded = part.get_payload(decode=True)
    return decoded if isinstance(decoded, bytes) else b""


def _name(part: Message) -> str:
    try:
        return part.get_filename() or ""
    except Exception:  # noqa: BLE001 - as above
        return ""
