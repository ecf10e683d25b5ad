import pytest

from portal.releases.cve import MalformedCve, parse_cve


@pytest.mark.parametrize(
    ("text", "cve"),
    [
        ("CVE-2024-12345", "CVE-2024-12345"),
        ("cve-2024-12345", "CVE-2024-12345"),
        (" Cve-1999-0001\n", "CVE-1999-0001"),
        ("CVE-2014-1234567890123456789", "CVE-2014-1234567890123456789"),
    ],
)
def test_an_id_gets_its_one_official_spelling(text, cve):
    assert parse_cve(text) == cve


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CVE",
        "CVE-2024",
        "CVE-2024-123",
        "CVE-2024-12345678901234567890",
        "CVE-2024-012345",
        "CVE-1998-1234",
        "CVE-24-12345",
        "CVE-02024-12345",
        "CVE_2024_12345",
        "CVE–2024–12345",
        "CVE-2024-1234a",
        "CVE-2024-12345, CVE-2024-12346",
        "CVE-2024- 12345",
        "CVE-٢٠٢٤-12345",
        "CVE-2024-１２３４５",
        "CVE-2024-12345\x00",
        "СVE-2024-12345",
        "x" * 1_000_000,
    ],
)
def test_anything_else_is_refused_in_a_short_printable_sentence(text):
    with pytest.raises(MalformedCve) as refusal:
        parse_cve(text)
    assert refusal.value.code == "malformed-cve"
    assert str(refusal.value).isprintable()
    assert len(str(refusal.value)) < 200
