import hashlib
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from signing import PublicKey, create_file_key, file_address, key_source, open_signer, pkcs8, read_public_key
from signing.errors import SigningError
from signing.keysource import ServiceKey
from tests.signing.making import PASSPHRASE, key, run, secrets
from tests.sparing import REAL_ROUNDS


def code_of(*arguments: object, **named: object) -> str:
    function, *rest = arguments
    with pytest.raises(SigningError) as refused:
        function(*rest, **named)  # type: ignore[operator]
    assert str(refused.value)
    return refused.value.code


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file key, in a folder whose name has to be escaped in an address."""
    folder = tmp_path_factory.mktemp("ключи 100% #1?")
    create_file_key(folder / "release.pem", PASSPHRASE)
    return folder / "release.pem"


def test_a_new_key_is_readable_by_its_owner_alone_and_its_public_part_by_all(made: Path):
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.with_suffix(".pub.pem").stat().st_mode) == 0o644
    assert names_in(made.parent) == ["release.pem", "release.pub.pem"]


def test_openssl_opens_the_key_and_finds_the_same_public_key(made: Path):
    judged = run("openssl", "pkey", "-in", made, "-passin", "env:SECRET", "-pubout", SECRET=PASSPHRASE)
    assert judged.stdout.decode() == read_public_key(made.with_suffix(".pub.pem")).pem


def test_openssl_does_not_open_the_key_with_another_passphrase(made: Path):
    assert run("openssl", "pkey", "-in", made, "-passin", "pass:wrong").returncode != 0


def test_the_key_costs_a_guesser_600000_rounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pkcs8, "ROUNDS", REAL_ROUNDS)
    create_file_key(tmp_path / "release.pem", PASSPHRASE)
    text = run("openssl", "asn1parse", "-in", tmp_path / "release.pem").stdout.decode()
    assert ":PBKDF2" in text
    assert f"INTEGER           :{600_000:06X}" in text
    assert ":hmacWithSHA256" in text
    assert ":aes-256-cbc" in text


def test_what_the_key_signs_openssl_verifies(made: Path, tmp_path: Path):
    signer = open_signer(file_address(made), secrets)
    (tmp_path / "data").write_bytes(b"data")
    (tmp_path / "sig").write_bytes(signer.sign(b"data").der)
    public = made.with_suffix(".pub.pem")
    judged = run("openssl", "dgst", "-sha256", "-verify", public, "-signature", "sig", "data", cwd=tmp_path)
    assert judged.stdout == b"Verified OK\n"


def test_the_key_id_is_the_digest_of_the_der_public_key(made: Path):
    der = run("openssl", "pkey", "-pubin", "-in", made.with_suffix(".pub.pem"), "-outform", "DER").stdout
    public = read_public_key(made.with_suffix(".pub.pem"))
    assert public.key_id == hashlib.sha256(der).hexdigest()
    assert public.fingerprint.replace(" ", "") == public.key_id
    assert {len(group) for group in public.fingerprint.split(" ")} == {4}


def test_a_key_is_never_overwritten(made: Path, tmp_path: Path):
    before = made.read_bytes()
    assert code_of(create_file_key, made, PASSPHRASE) == "key-exists"
    (tmp_path / "private.pem").write_bytes(b"something")
    assert code_of(create_file_key, tmp_path / "private.pem", PASSPHRASE) == "key-exists"
    assert (tmp_path / "private.pem").read_bytes() == b"something"
    assert made.read_bytes() == before
    assert names_in(tmp_path) == ["private.pem"]


def test_a_short_passphrase_is_refused(tmp_path: Path):
    assert code_of(create_file_key, tmp_path / "k.pem", "1234567") == "weak-passphrase"
    assert names_in(tmp_path) == []


def test_the_wrong_passphrase_is_said_so(made: Path):
    assert code_of(open_signer, file_address(made), lambda _: "wrong") == "wrong-passphrase"
    assert code_of(open_signer, file_address(made), lambda _: "") == "wrong-passphrase"


def test_a_key_that_is_not_there_is_said_so(tmp_path: Path):
    assert code_of(open_signer, file_address(tmp_path / "none.pem"), secrets) == "key-missing"
    assert code_of(read_public_key, tmp_path / "none.pem") == "key-missing"


@pytest.mark.parametrize("form", ["file:{}", "file://{}"])
def test_an_address_may_be_written_in_either_form(tmp_path: Path, form: str):
    create_file_key(tmp_path / "k.pem", PASSPHRASE)
    assert (
        open_signer(form.format(tmp_path / "k.pem"), secrets).key_id == read_public_key(tmp_path / "k.pub.pem").key_id
    )


def test_a_relative_address_is_taken_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    create_file_key(tmp_path / "k.pem", PASSPHRASE)
    monkeypatch.chdir(tmp_path)
    assert open_signer("file:k.pem", secrets).sign(b"x")


def test_only_the_expected_key_is_opened(made: Path):
    expected = read_public_key(made.with_suffix(".pub.pem"))
    assert open_signer(file_address(made), secrets, expected).public == expected
    assert code_of(open_signer, file_address(made), secrets, key().public) == "key-mismatch"


def private_pem(private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, passphrase: str = PASSPHRASE) -> bytes:
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


REFUSED = {
    "empty": b"",
    "a public key": key().public_pem.encode(),
    "not encrypted": private_pem(ec.generate_private_key(ec.SECP256R1()), ""),
    "another curve": private_pem(ec.generate_private_key(ec.SECP384R1())),
    "RSA": private_pem(rsa.generate_private_key(65537, 2048)),
}


@pytest.mark.parametrize("pem", REFUSED.values(), ids=REFUSED.keys())
def test_only_encrypted_p256_keys_are_opened(tmp_path: Path, pem: bytes):
    (tmp_path / "k.pem").write_bytes(pem)
    assert code_of(open_signer, file_address(tmp_path / "k.pem"), secrets) == "malformed-key"


def test_a_key_made_by_openssl_is_opened(tmp_path: Path):
    judged = run(
        "openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-aes-256-cbc", "-pass", "env:SECRET", "-out", "k.pem", cwd=tmp_path, SECRET=PASSPHRASE,
    )  # fmt: skip
    assert judged.returncode == 0
    assert open_signer(file_address(tmp_path / "k.pem"), secrets).sign(b"x")


REFUSED_PUBLIC = {
    "empty": b"",
    "text": "ключ".encode(),
    "private": private_pem(ec.generate_private_key(ec.SECP256R1()), ""),
    "another curve": ec.generate_private_key(ec.SECP384R1())
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
}


@pytest.mark.parametrize("pem", REFUSED_PUBLIC.values(), ids=REFUSED_PUBLIC.keys())
def test_only_p256_public_keys_are_read(pem: bytes):
    assert code_of(PublicKey.from_pem, pem) == "malformed-key"


def test_a_signature_is_refused_over_other_data_and_by_another_key():
    der = key().sign(b"data").der
    key().public.verify(b"data", der)
    assert code_of(key().public.verify, b"datum", der) == "bad-signature"
    assert code_of(key("other").public.verify, b"data", der) == "bad-signature"


@pytest.mark.parametrize("address", ["", "release.pem", "gcpkms:x", "file2:/etc/passwd", "https://example.org/k"])
def test_an_unknown_kind_of_address_is_refused(address: str):
    assert code_of(open_signer, address, secrets) == "key-address-unsupported"


def test_a_setting_is_a_folder_or_a_key_address(made: Path, tmp_path: Path):
    assert code_of(key_source(str(tmp_path / "keys"), secrets).active) == "key-missing"
    source = key_source(file_address(made), secrets)
    assert isinstance(source, ServiceKey)
    assert [record.key_id for record in source.ring()] == [source.signer(secrets).key_id]
