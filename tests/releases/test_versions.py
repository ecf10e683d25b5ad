import itertools
import os
import random
import re
import sqlite3
import string

import psycopg
import pytest
import semver
from debian.debian_support import NativeVersion
from hypothesis import given
from hypothesis import strategies as st

from portal.releases.versions import MAX_KEY_CHARS, MalformedVersion, Scheme, Version

SEMANTIC, DEBIAN, NATURAL = Scheme

ASCENDING = [
    (SEMANTIC, "the example of SemVer 2.0.0 section 11",
     "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 2.0.0 2.1.0"),
    (SEMANTIC, "numbers before words, and numbers as numbers",
     "1.9.0-0 1.9.0-9 1.9.0-10 1.9.0-- 1.9.0--- 1.9.0-10a 1.9.0-A 1.9.0-a 1.9.0 1.10.0"),
    (SEMANTIC, "large numbers", "1.2.99999999999999999999 1.2.100000000000000000000 1.3.0"),
    (DEBIAN, "tildes and letters", "1.0~~ 1.0~~a 1.0~ 1.0~rc1-1 1.0-1~bpo1 1.0-1 1.0-1.1.1 1.0a-1 1.0+b1 1.0.1"),
    (DEBIAN, "epochs", "9.9-9 1:0.1 1:1:2-1 2:0 10:0"),
    (DEBIAN, "the archive", "2020.11-2 2020.11-2+deb11u1 2022.11-6 2022.11-6+deb12u2 2025.02-8"),
    (DEBIAN, "kernels", "5.10.9-1 5.10.205-2 6.1.0~rc3-1~exp1 6.1.0-1 6.1.0-9 6.1.0-10"),
    (NATURAL, "numbers are not text", "4.9 4.10 4.100 10.0"),
    (NATURAL, "a calendar", "2020.11 2021.01 2022.11 2023.01 2025.02"),
    (NATURAL, "calendar with hyphens", "2023-09-30 2023-10-01 2024-01-15"),
    (NATURAL, "pre-releases",
     "2.0-dev 2.0-alpha 2.0-ALPHA2 2.0-beta 2.0-beta3 2.0-Beta.10 2.0-rc1 2.0_RC2 2.0rc10 2.0 2.0.1-rc1 2.0.1"),
    (NATURAL, "what follows a release", "1.0-beta 1.0-rc1 1.0 1.0a 1.0b 1.0-p1 1.0-p2 1.0-1 1.0-2 1.0-10 1.0.1"),
    (NATURAL, "Junos", "15.1 15.1F6 15.1R1 15.1R7 15.1R7-S9 15.1R7-S10 15.1R8 15.1X49-D100 18.4R3-S11 20.4R3-S4"),
    (NATURAL, "Junos Evolved", "21.4R3-EVO 21.4R3-S4-EVO 21.4R3-S5-EVO 21.4R3-S10-EVO 22.1R1-EVO"),
    (NATURAL, "Cisco IOS", "12.4(15)T 12.4(15)T14 12.4(24) 12.4(24)T 12.4(24)T5 12.4(24)T10 15.0(1)M 15.0(1)M1"),
    (NATURAL, "Cisco IOS rebuilds", "15.2(4)M5 15.2(4)M6 15.2(4)M6a 15.2(4)M6b 15.2(4)M7 15.2(4)M10"),
    (NATURAL, "Cisco IOS EA train is no early access", "12.1(22) 12.1(22)EA1 12.1(22)EA14"),
    (NATURAL, "Cisco IOS XE", "3.16.10S 16.9.4 16.12.05b 17.03.04 17.03.04a 17.3.5 17.12.01"),
    (NATURAL, "Cisco NX-OS", "7.0(3)I7(9) 7.0(3)I7(10) 9.3(9) 9.3(10) 10.2(1)F"),
    (NATURAL, "Ericsson R-states", "P1A P1B R1A R1B R1Z R2A R9Z R10A R21A R21B R22A"),
    (NATURAL, "Huawei",
     "V100R006C00 V200R001C00 V200R001C00SPC300 V200R001C00SPC500 V200R001C01 V200R002 V200R002C00 V200R019C10SPC800"),
    (NATURAL, "MikroTik", "6.48.9 6.49 6.49.2 6.49.10 7.1beta6 7.1rc1 7.1rc7 7.1 7.1.1 7.2rc4 7.2 7.16 7.16.2"),
    (NATURAL, "PAN-OS", "7.1.2-b5 7.1.2-h3 7.1.2-h12 7.1.3 10.1.14 10.1.14-h2 11.0.0"),
    (NATURAL, "Arista EOS", "4.28.3F 4.28.3M 4.28.3.1M 4.28.10M 4.29.0F"),
    (NATURAL, "Nokia SR OS", "TiMOS-B-19.10.R1 TiMOS-B-19.10.R2 TiMOS-B-19.10.R10 TiMOS-B-20.2.R1"),
    (NATURAL, "Fortinet", "v6.4.15,build2095 v7.0.5,build0304 v7.0.5,build1200 v7.0.12,build0523"),
    (NATURAL, "SeaBIOS", "1.14.0 1.16.2 1.16.3"),
    (NATURAL, "hundred digits", f"{'9' * 98} {'9' * 99} {'9' * 100}"),
    (NATURAL, "words first", "beta1 rc1 alpine alps 1.0"),
]  # fmt: skip

SAME = [
    (SEMANTIC, "1.0.0+build.1 1.0.0+build.2 1.0.0"),
    (SEMANTIC, "1.0.0-rc.1+007 1.0.0-rc.1"),
    (DEBIAN, "1.0 0:1.0 1.0-0 1.00 1.0-00"),
    (NATURAL, "2.0-rc1 2.0rc1 2.0.RC.1 2.0-Rc-01 v2.0_rc1 V2.0rc1"),
    (NATURAL, "17.3.4 17.03.04 v17.3.4 17.003.4"),
    (NATURAL, "12.4(24)T5 12.4.24t5 12.4(24)T05"),
    (NATURAL, "R21A r21a"),
]

DIFFERENT = [
    (NATURAL, "1.0 1 1.0.0 10 1.0-0 1.0a"),
    (NATURAL, "1.11 11.1 111 1.1-1"),
    (NATURAL, "preview pre prerelease"),
]

REFUSED = {
    SEMANTIC: [
        "1", "1.2", "1.2.3.4", "v1.2.3", "01.2.3", "1.02.3", "1.2.03", "1.2.3-01", "1.2.3-a.01", "1.2.3-", "1.2.3+",
        "1.2.3-a..b", "1.2.3-a.", "1.2.3-.a", "1.2.3+a..b", "1.2.3+a+b", "1.2.3-ä", "-1.2.3", "1.2.3-a_b", "1.2.x",
    ],
    DEBIAN: [
        "a1.0", ":1.0", "a:1.0", "-1:1.0", "1.0-", "1-", "1.0_1", "1.0/1", "1.0-1:1", "1:", "-1", "~1", "1.0(1)",
    ],
    NATURAL: [
        ".", "-", "1.", ".1", "1..0", "1-.0", "1--0", "1.0-", "(1)", "1(", "1()", "1(2", "1)2", "1((2))", "1(2)(",
        "1/2", "1\\2", "../1", "1:2", "1~rc1", "1'2", '1"2', "1;2", "1&2", "1<2", "1%2", "1*", "#1", "1@2", "1=2", "1$",
    ],
}  # fmt: skip

REFUSED_BY_ALL = [
    "", " ", " 1.2.3", "1.2.3 ", "1.2.3\n", "1.2.3\r\n", "1.2 .3", "1.2.3\t", "1.2.3\x00", "\x001.2.3", "1.2.3\x1b[2J",
    "1.2.3\x7f", "1.2.3\x85", "1.2.3\u2028", "1.2.3\u00a0", "1.2.3\u200b", "1.2.3\u202e", "\ufeff1.2.3", "1.2.3\ud800",
    "１.２.３", "١.٢.٣", "1.²", "1.2.3é", "1.2.3-Ж", "1․2․3", "1.2.3–1", "1" * 101, "1.2." + "3" * 97, "1" * 1_000_000,
]  # fmt: skip


def parsed(scheme, text):
    return [Version.parse(word, scheme) for word in text.split()]


@pytest.mark.parametrize(("scheme", "name", "text"), ASCENDING, ids=[f"{s}: {n}" for s, n, _ in ASCENDING])
def test_each_is_older_than_all_that_stand_after_it(scheme, name, text):
    for older, newer in itertools.combinations(parsed(scheme, text), 2):
        assert older < newer, (older.text, newer.text)
        assert older <= newer
        assert newer > older
        assert older != newer


@pytest.mark.parametrize(("scheme", "text"), SAME)
def test_different_spellings_of_one_version_are_equal(scheme, text):
    assert len(set(parsed(scheme, text))) == 1


@pytest.mark.parametrize(("scheme", "text"), DIFFERENT)
def test_versions_that_look_alike_are_not_equal(scheme, text):
    assert len({version.key for version in parsed(scheme, text)}) == len(text.split())


@pytest.mark.parametrize(
    ("scheme", "text"), [(scheme, text) for scheme in Scheme for text in REFUSED[scheme] + REFUSED_BY_ALL]
)
def test_what_is_no_version_is_refused(scheme, text):
    with pytest.raises(MalformedVersion) as refusal:
        Version.parse(text, scheme)
    assert refusal.value.code == "malformed-version"
    sentence = str(refusal.value)
    assert sentence.isprintable()
    assert len(sentence) < 400


def test_a_refusal_says_all_of_it_in_the_readers_language():
    with pytest.raises(MalformedVersion) as refusal:
        Version.parse("1.02.3", SEMANTIC)
    assert str(refusal.value) == "1.02.3 is not a semantic version: a number begins with zero."
    asked = []
    refusal.value.sentence_in(lambda sentence: asked.append(sentence) or sentence)
    assert set(asked) == {MalformedVersion.sentence, "semantic", "a number begins with zero"}


def test_a_version_keeps_its_spelling():
    version = Version.parse("V200R001C00SPC300", NATURAL)
    assert (str(version), version.scheme) == ("V200R001C00SPC300", NATURAL)


def test_versions_of_different_schemes_have_no_order():
    semantic, natural = Version.parse("1.0.0", SEMANTIC), Version.parse("1.0.0", NATURAL)
    assert semantic != natural
    with pytest.raises(TypeError):
        _ = semantic < natural


# --- generated ones, against the libraries that define the order

number = st.integers(0, 12).map(str) | st.integers(0, 10**20).map(str)
identifier = number | st.from_regex(r"[0-9]{0,2}[A-Za-z-][0-9A-Za-z-]{0,3}", fullmatch=True)
semantic = st.builds(
    lambda core, pre, build: ".".join(core) + ("-" + ".".join(pre) if pre else "") + ("+" + build if build else ""),
    st.tuples(number, number, number), st.lists(identifier, max_size=3), st.sampled_from(["", "1", "b.2"]),
).filter(lambda text: len(text) <= 100)  # fmt: skip

debian = st.builds(
    lambda epoch, upstream, revision: epoch + upstream + revision,
    st.sampled_from(["", "", "", "0:", "1:", "10:"]),
    st.from_regex(r"[0-2][012ab.+~-]{0,8}[0-9a-z.+~]", fullmatch=True),
    st.just("") | st.from_regex(r"-[012aZ.+~]{1,5}", fullmatch=True),
)

natural_piece = st.sampled_from(
    [*"0129", "00", "01", "10", "99999999999999999999", *"abAzRS", "rc", "RC", "beta", "SPC", "(1)", "(2a)"]
)
natural = (
    st.lists(st.tuples(st.sampled_from(["", "", ".", "-", "_", "+", ","]), natural_piece), max_size=8)
    .map(lambda pieces: "1" + "".join(sign + piece for sign, piece in pieces))
    .filter(lambda text: len(text) < 50)
)


def compare(a, b):
    return (a > b) - (a < b)


def keys_compare(scheme, a, b):
    return compare(Version.parse(a, scheme).key, Version.parse(b, scheme).key)


@given(semantic, semantic)
def test_semantic_order_is_that_of_the_semver_package(a, b):
    assert keys_compare(SEMANTIC, a, b) == semver.Version.parse(a).compare(b)


@given(debian, debian)
def test_debian_order_is_that_of_debian(a, b):
    assert keys_compare(DEBIAN, a, b) == compare(NativeVersion(a), NativeVersion(b))


PRE_RELEASE, END, WORD, REBUILD, PART = range(5)
RIPENING = ["dev", "nightly", "snapshot", "test", "alpha", "beta", "milestone", "preview", "pre", "prerelease", "rc"]


def natural_places(text):
    """The documented rules told once more, with tuples where the key has characters."""
    places, before = [], ""
    for token in re.findall(r"[0-9]+|[A-Za-z]+|[^0-9A-Za-z]+", re.sub("^[vV]([0-9])", r"\1", text)):
        if token.isdigit():
            beside_number = places and places[-1][0] in {REBUILD, PART}
            places.append((REBUILD if beside_number and set(before) & set("-_+,") else PART, int(token)))
        elif token.isalpha():
            word = token.lower()
            places.append((PRE_RELEASE, RIPENING.index(word)) if word in RIPENING else (WORD, word))
        before = "" if token.isalnum() else token
    return [*places, (END, 0)]


@given(natural, natural)
def test_natural_order_is_the_documented_one(a, b):
    assert keys_compare(NATURAL, a, b) == compare(natural_places(a), natural_places(b))


@given(natural, st.integers(0, 10**30), st.integers(0, 10**30))
def test_natural_order_compares_numbers_as_numbers(before, a, b):
    assert keys_compare(NATURAL, f"{before}.{a}", f"{before}.{b}") == compare(a, b)


@given(natural, natural)
def test_natural_pre_releases_come_before_and_additions_after(text, other):
    version = Version.parse(text, NATURAL)
    assert Version.parse(f"{text}-rc1", NATURAL) < version
    assert version < Version.parse(f"{text}.{other}", NATURAL)


@given(natural)
def test_natural_order_knows_no_case(text):
    assert len({Version.parse(spelling, NATURAL) for spelling in (text, text.upper(), text.lower())}) == 1


@given(st.sampled_from(Scheme), st.text(string.ascii_letters + string.digits + ".-_+~:(),", max_size=100))
def test_a_key_is_short_ascii_or_there_is_none(scheme, text):
    try:
        key = Version.parse(text, scheme).key
    except MalformedVersion:
        return
    assert key.isascii()
    assert key.isprintable()
    assert 0 < len(key) <= MAX_KEY_CHARS


@given(st.sampled_from(Scheme), st.text(max_size=120))
def test_any_text_is_a_version_or_refused(scheme, text):
    try:
        version = Version.parse(text, scheme)
    except MalformedVersion:
        return
    assert version.text == text
    assert text.isascii()
    assert text.isprintable()


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        (SEMANTIC, "1.2.3-" + "a.1." * 23 + "a"),
        (SEMANTIC, "1.2.3-" + "1." * 46 + "1"),
        (DEBIAN, "1a" * 50),
        (DEBIAN, "1~" * 49 + "-1"),
        (NATURAL, "1a" * 50),
        (NATURAL, "1-" * 49 + "1"),
        (NATURAL, "rc1" * 33),
    ],
)
def test_the_longest_versions_still_fit_the_column(scheme, text):
    assert 90 <= len(text) <= 100
    assert len(Version.parse(text, scheme).key) <= MAX_KEY_CHARS


# --- the databases agree


def specimens(scheme):
    """A few hundred versions, in an order that is not theirs, and the same at every run."""
    chance = random.Random(17)
    words = [word for s, _, text in ASCENDING if s is scheme for word in text.split()]
    alphabet = {SEMANTIC: "019a-Z.", DEBIAN: "019aZ.+~-:", NATURAL: "019aZbrcRC.-_+()"}[scheme]
    prefix = "1.2.3-" if scheme is SEMANTIC else "1"
    while len(words) < 600:
        word = prefix + "".join(chance.choices(alphabet, k=chance.randint(1, 9)))
        try:
            words.append(Version.parse(word, scheme).text)
        except MalformedVersion:
            continue
    versions = {version.key: version for version in (Version.parse(word, scheme) for word in words)}
    shuffled = list(versions.values())
    chance.shuffle(shuffled)
    return shuffled


@pytest.mark.parametrize("scheme", Scheme)
def test_sqlite_orders_keys_as_versions(scheme):
    versions = specimens(scheme)
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE release (key VARCHAR(512))")
    database.executemany("INSERT INTO release VALUES (?)", [(version.key,) for version in versions])
    rows = database.execute("SELECT key FROM release ORDER BY key").fetchall()
    database.close()
    assert [key for (key,) in rows] == [version.key for version in sorted(versions)]


@pytest.mark.parametrize("scheme", Scheme)
def test_postgresql_orders_keys_as_versions(scheme):
    versions = specimens(scheme)
    uri = os.environ["PORTAL_TEST_PG_URI"].replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(uri) as database:
        database.execute('CREATE TEMPORARY TABLE release (key VARCHAR(512) COLLATE "C")')
        with database.cursor() as cursor:
            cursor.executemany("INSERT INTO release VALUES (%s)", [(version.key,) for version in versions])
        rows = database.execute("SELECT key FROM release ORDER BY key").fetchall()
        database.rollback()
    assert [key for (key,) in rows] == [version.key for version in sorted(versions)]
