import pytest

from portal.mail.reports import read
from portal.releases.markdown import render
from portal.tickets.letters_in import own_words, read_letter, text_of_html

EVIL = """<html><head><style>body{background:url(https://evil.example/x)}</style><script>steal()</script></head>
<body onload="steal()"><p>Links <b>flap</b></p><img src="https://evil.example/pixel.png" onerror="steal()">
<svg><script>steal()</script></svg><a href="javascript:steal()">press</a> <a href="https://ok.example/a">here</a>
<iframe src="https://evil.example"></iframe><blockquote>You wrote<blockquote>deeper</blockquote></blockquote></body>"""


def letter(content: str, **headers: str):
    given = {"From": "Anna <Anna@Alpha.example>", "To": "support@desk.example", "Subject": "Re: [T-000001] Links",
             "Message-ID": "<1@alpha>", **headers}  # fmt: skip
    text = "".join(f"{name}: {value}\r\n" for name, value in given.items()) + "\r\n" + content
    raw = text.encode()
    return read_letter(read(raw), raw)


def test_what_a_plain_message_says():
    found = letter("One\r\nTwo\r\n\r\nOn Monday Petr <p@x.example> wrote:\r\n> three\r\n")
    assert (found.sender, found.sender_name, found.title) == ("anna@alpha.example", "Anna", "Links")
    assert found.said == "One  \nTwo"
    assert found.recipients == ("support@desk.example",)
    assert not found.is_refused_by_server


def test_html_becomes_words_that_run_and_load_nothing():
    found = letter(EVIL, **{"Content-Type": "text/html; charset=utf-8"})
    assert "Links flap" in found.said
    assert "here (https://ok.example/a)" in found.said
    shown = str(render(found.said)).lower()
    for sign in ("steal", "script", "onerror", "<img", "<svg", "<iframe", "evil.example", "javascript"):
        assert sign not in shown, sign
    assert "You wrote" not in found.said  # quoted, and so history


@pytest.mark.parametrize(
    "body",
    [
        "<script>steal()</script>",
        '<img src="https://evil.example/p.png">',
        "![p](https://evil.example/p.png)",
        "[x](javascript:steal())",
        '<a href="//evil.example/p.png">x</a>',
        "<svg/onload=steal()>",
    ],
)
def test_markdown_and_html_in_plain_text_are_held_by_the_page(body):
    shown = str(render(letter(body).said))
    assert "<img" not in shown
    assert "<script" not in shown
    assert "<svg" not in shown
    assert "<a" not in shown


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Yes.\n\n-----Original Message-----\nFrom: x", "Yes."),
        ("Да.\n\nпн, 9 мар. 2026 г. в 10:00, Поддержка <s@d.example> пишет:\n> Что?", "Да."),
        ("Да.\n\n09.03.2026 10:00, Поддержка написал(а):\n> Что?", "Да."),
        ("Top\n> quoted\n>> deeper\n", "Top"),
        ("Answer\n\nFrom: Support <s@d.example>\nSent: Monday", "Answer"),
        ("> only a quote", "> only a quote"),
        ("a\n> b\nc", "a\n> b\nc"),
        ("", ""),
    ],
)
def test_history_is_cut_and_nothing_else(text, left):
    assert own_words(text) == left


def test_files_keep_their_bytes_and_names():
    parts = (
        "--x\r\nContent-Type: text/plain; charset=koi8-r\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        "8NLJ18XU\r\n"
        "--x\r\nContent-Type: application/x-msdownload\r\n"
        "Content-Disposition: attachment; filename*=UTF-8''%2E%2E%2F%D0%BE%D0%B1%D1%80%D0%B0%D0%B7.exe\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\nTVo=\r\n--x--\r\n"
    )
    found = letter(parts, **{"Content-Type": 'multipart/mixed; boundary="x"'})
    assert found.said == "Привет"
    assert [(file.name, file.content) for file in found.files] == [("../образ.exe", b"MZ")]


@pytest.mark.parametrize(
    ("headers", "attribute", "value"),
    [
        ({"From": "a@x.example, b@x.example"}, "sender", ""),
        ({"From": "nobody"}, "sender", ""),
        ({"Cc": ", ".join(f"p{n}@x.example" for n in range(1000))}, "is_to_many", True),
        ({"Authentication-Results": "mx.desk.example; dmarc=fail"}, "is_refused_by_server", True),
        ({"Authentication-Results": "mx; spf=fail; dkim=none"}, "is_refused_by_server", True),
        ({"Authentication-Results": "mx; spf=fail; dkim=pass"}, "is_refused_by_server", False),
        ({"Subject": "=?utf-8?b?0J7RgtC60LDQtw==?="}, "title", "Отказ"),
        ({"Subject": "RE: Fwd: AW: Link"}, "title", "Link"),
        ({"Content-Type": "text/plain; charset=klingon"}, "said", "text"),
    ],
)
def test_odd_headers(headers, attribute, value):
    assert getattr(letter("text", **headers), attribute) == value


def test_deep_html_ends():
    assert text_of_html("<div>" * 20_000 + "end") == "end"
