#!/usr/bin/env python3
"""Is this folder what the vendor signed, and was it made for us?

    python3 -I verify.py [FOLDER] --key release.pub.pem            the key, got by another way than the kit
    python3 -I verify.py [FOLDER] --fingerprint "52af 8c01 …"      its fingerprint, as the support centre reads it out

Needs Python 3.8 or newer with its standard library, the program `openssl`, and no network. It changes nothing.
Exit status: 0 verified, 1 not verified (do not install), 2 something could not be read or no key was named from
elsewhere, so nothing is known.
"""

import sys

if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    del sys.path[0]  # this folder: a json.py that somebody put into the kit must not be taken for Python's own

import argparse
import base64
import binascii
import hashlib
import json
import locale
import os
import re
import stat
import subprocess
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

SUMS, SUMS_SIGNATURE = "SHA256SUMS", "SHA256SUMS.sig"
MANIFEST, SLIP, KEYS = "manifest.dsse.json", "slip.dsse.json", "keys"
DOCUMENTS = (SUMS, SUMS_SIGNATURE, MANIFEST, SLIP)
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
RELEASE = "https://release-portal.invalid/attestation/release/v1"
DELIVERY_SLIP = "https://release-portal.invalid/attestation/delivery-slip/v1"
P256_DER = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
P256_DER_BYTES, MOST_DOCUMENT_BYTES, BLOCK_BYTES, GREATEST = 91, 16 << 20, 1 << 20, 2**53
HARMLESS, SILENT = ("right", "document", "not-sent"), ("unreadable", "unproven")
UNKNOWING = ("folder-unreadable", "key-within")
VERIFIED, NOT_VERIFIED, NOT_CHECKED = 0, 1, 2
LANGUAGES = ("en", "ru")

TEXTS = {
    "right": ("OK", "ВЕРНО"),
    "wrong": ("WRONG", "НЕВЕРНО"),
    "missing": ("MISSING", "НЕТ ФАЙЛА"),
    "not-listed": ("NOT LISTED", "НЕТ В СПИСКЕ"),
    "not-a-file": ("NOT A FILE", "НЕ ФАЙЛ"),
    "unreadable": ("UNREADABLE", "НЕ ЧИТАЕТСЯ"),
    "unproven": ("UNPROVEN", "НЕ ДОКАЗАНО"),
    "not-sent": ("NOT SENT", "НЕ ПОСЫЛАЛСЯ"),
    "folder": ("Folder", "Папка"),
    "release": ("Release", "Выпуск"),
    "counter": ("release counter", "счётчик выпусков"),
    "published": ("published", "опубликован"),
    "made-for": ("Made for", "Получатель"),
    "delivery": ("Delivery", "Поставка"),
    "medium": ("medium", "носитель"),
    "issued": ("issued", "оформлена"),
    "signed-by": ("Signed by", "Подписал"),
    "days": ("days ago", "дн. назад"),
    "future": ("in the future: look at this computer's clock", "в будущем: проверьте часы этого компьютера"),
    "problem": ("PROBLEM", "НЕПОЛАДКА"),
    "0": (
        "VERIFIED: every file is exactly what the vendor signed.",
        "ПРОВЕРЕНО: каждый файл в точности таков, каким его подписал поставщик.",
    ),
    "1": (
        "NOT VERIFIED: do not install. Ask the vendor for the files again.",
        "НЕ ПРОШЛО ПРОВЕРКУ: не устанавливайте. Запросите файлы у поставщика ещё раз.",
    ),
    "2": ("NOT CHECKED: nothing is known. Do not install.", "НЕ ПРОВЕРЕНО: ничего не известно. Не устанавливайте."),
    "folder-unreadable": ("%s can't be read.", "Не удаётся прочитать %s."),
    "document-missing": ("%s is not in the folder; nothing is proven.", "В папке нет %s; без него ничего не доказано."),
    "document-not-a-file": (
        "%s is not an ordinary file, or is too large.",
        "%s — не обычный файл или слишком велик.",
    ),
    "malformed-sums": ("SHA256SUMS is malformed: line %s.", "SHA256SUMS испорчен: строка %s."),
    "malformed-manifest": ("The release manifest is malformed.", "Манифест выпуска испорчен."),
    "malformed-slip": ("The slip is malformed.", "Сопроводительный лист испорчен."),
    "bad-signature": (
        "The signature of %s is not by any of the keys, or the bytes are not the ones signed.",
        "Подпись под %s сделана не этими ключами, или подписаны были другие байты.",
    ),
    "unknown-key": ("%s is signed by no key that is known here.", "%s: подпись сделана неизвестным здесь ключом."),
    "documents-disagree": (
        "SHA256SUMS and the release manifest do not name the same files with the same digests.",
        "SHA256SUMS и манифест выпуска называют разные файлы или разные контрольные суммы.",
    ),
    "slip-disagrees": ("The slip belongs to another release: %s.", "Сопроводительный лист — от другого выпуска: %s."),
    "other-customer": ("The slip is made out to %s, not to you.", "Сопроводительный лист выписан не вам, а на %s."),
    "customer-unknown": (
        "There is no slip that holds, so it can't be shown that this was made for %s.",
        "Нет действительного сопроводительного листа: нельзя показать, что это предназначено для %s.",
    ),
    "counter-unknown": (
        "There is no manifest that holds, so it can't be shown that this is no older than what is installed.",
        "Нет действительного манифеста: нельзя показать, что выпуск не старше установленного.",
    ),
    "counter-rollback": ("%s is older than the installed release.", "Выпуск старше установленного: %s."),
    "key-within": (
        """The key used lies in the kit itself. That proves nothing until its fingerprint is compared with the one
                known from elsewhere: telephone the support centre at the number in your contract, let them read the
                fingerprint to you, and give it as --fingerprint, or a key that you have as --key.""",
        """Использован ключ из самого комплекта. Это ничего не доказывает, пока его отпечаток не сверен с известным
                из другого источника: позвоните в центр поддержки по телефону из договора, пусть вам прочтут
                отпечаток, и укажите его после --fingerprint, либо свой ключ после --key.""",
    ),
    "malformed-key": ("%s is not a usable public key (ECDSA P-256, PEM).", "%s — не открытый ключ ECDSA P-256 в PEM."),
    "no-openssl": ("The program openssl is needed and was not found.", "Нужна программа openssl, она не найдена."),
}


class Problem(Exception):
    """`code` is that of `portal verify`; `fact` goes into the sentence."""

    def __init__(self, code: str, fact: str = "") -> None:
        super().__init__(code, fact)
        self.code, self.fact = code, fact


class Malformed(Exception):
    """A signed document that is not as it must be."""


class Key(NamedTuple):
    key_id: str
    path: Path


class Finding(NamedTuple):
    state: str
    detail: str = ""


class Asked(NamedTuple):
    folder: Path
    keys: List[Key]
    customer: Optional[str]
    installed_counter: Optional[int]
    keys_within: bool
    aside: Tuple[str, ...]


class Openssl:
    """The one cryptographic act, done by a program that the reader has from elsewhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = openssl_program()

    def key(self, pem: bytes) -> Optional[Key]:
        """The public key in a PEM file, under the SHA-256 of its DER form; None unless it is an ECDSA P-256 one."""
        done = self._run(["pkey", "-pubin", "-outform", "DER"], pem)
        der = done.stdout
        if done.returncode or len(der) != P256_DER_BYTES or not der.startswith(P256_DER):
            return None
        key_id = hashlib.sha256(der).hexdigest()
        path = self.folder / (key_id + ".pem")
        text = base64.encodebytes(der).decode().replace("\n", "")
        lines = [text[start : start + 64] for start in range(0, len(text), 64)]
        path.write_text("\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""]))
        return Key(key_id, path)

    def holds(self, key: Key, data: bytes, der: bytes) -> bool:
        """Whether `der` is the key's signature over `data`. Some versions of openssl pass over bytes that follow it."""
        if len(der) < 2 or der[0] != 0x30 or der[1] != len(der) - 2:  # noqa: PLR2004 - an ASN.1 sequence, whole
            return False
        signature = self.folder / "signature"
        signature.write_bytes(der)
        arguments = ["dgst", "-sha256", "-verify", str(key.path), "-signature", str(signature)]
        return self._run(arguments, data).returncode == 0

    def _run(self, arguments: List[str], data: bytes) -> "subprocess.CompletedProcess[bytes]":
        try:
            return subprocess.run([self.program, *arguments], input=data, capture_output=True, check=False)
        except OSError as error:
            raise Problem("no-openssl") from error


def openssl_program() -> str:
    """Where openssl is, by the absolute folders of PATH alone: one that lies in the kit must not be run."""
    name = "openssl.exe" if os.name == "nt" else "openssl"
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        path = os.path.join(folder, name)
        if os.path.isabs(folder) and os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    raise Problem("no-openssl")


# Reading what is signed


def require(holds: object) -> None:
    if not holds:
        raise Malformed


def member(holder: Any, name: str, kind: type) -> Any:
    require(isinstance(holder, dict))
    value = holder.get(name)
    require(isinstance(value, kind) and not isinstance(value, bool))
    return value


def is_digest(text: str) -> bool:
    return re.fullmatch("[0-9a-f]{64}", text) is not None


def checked_name(name: str) -> str:
    require(name and "\0" not in name and "/" not in name and name != "-")
    require(not any(part in (".", "..") for part in name.split("\\")))
    require(name.casefold() not in [document.casefold() for document in DOCUMENTS])
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise Malformed from error
    return name


def checked_path(path: str) -> str:
    folder, slash, name = path.rpartition("/")
    require(folder == KEYS if slash else name.casefold() != KEYS)
    checked_name(name)
    return path


def instant(text: str) -> datetime:
    found = re.fullmatch(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,6})?Z", text)
    require(found)
    try:
        return datetime.strptime(found[1], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)  # type: ignore[index]
    except ValueError as error:
        raise Malformed from error


def parse_json(data: bytes) -> Any:
    """JSON with one reading: UTF-8, no name twice in an object, no NaN."""

    def without_twins(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
        require(len(dict(pairs)) == len(pairs))
        return dict(pairs)

    def no_constant(_text: str) -> None:
        raise Malformed

    try:
        return json.loads(data.decode(), object_pairs_hook=without_twins, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed from error


def decoded(text: Any) -> bytes:
    require(isinstance(text, str))
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Malformed from error


def listed(statement: Any, sizes: List[Any]) -> Dict[str, Tuple[str, int]]:
    """Name to digest and size: the subjects of a statement, and the list in its predicate that gives their sizes."""
    subjects = member(statement, "subject", list)
    digests = {member(one, "name", str): member(member(one, "digest", dict), "sha256", str) for one in subjects}
    found = {member(one, "name", str): member(one, "size", int) for one in sizes}
    require(len(digests) == len(subjects) == len(found) == len(sizes) and set(digests) == set(found))
    for name, digest in digests.items():
        require(is_digest(digest) and 0 <= found[name] <= GREATEST)
    return {name: (digest, found[name]) for name, digest in digests.items()}


class Manifest:
    def __init__(self, statement: Any) -> None:
        require(member(statement, "_type", str) == STATEMENT and member(statement, "predicateType", str) == RELEASE)
        facts = member(statement, "predicate", dict)
        artifacts = member(facts, "artifacts", list)
        self.files = {checked_name(name): known for name, known in listed(statement, artifacts).items()}
        self.product, self.version, self.level = (member(facts, name, str) for name in ("product", "version", "level"))
        self.counter = member(facts, "counter", int)
        self.published_at = instant(member(facts, "publishedAt", str))
        require(self.files and self.product and self.version and self.level and 0 < self.counter <= GREATEST)
        require(is_digest(member(member(facts, "notes", dict), "sha256", str)))
        require(all(member(one, "role", str) for one in artifacts))
        require(all(member(one, "platform", str) is not None for one in artifacts))


class Slip:
    def __init__(self, statement: Any) -> None:
        is_slip = member(statement, "predicateType", str) == DELIVERY_SLIP
        require(is_slip and member(statement, "_type", str) == STATEMENT)
        facts = member(statement, "predicate", dict)
        files = listed(statement, member(facts, "files", list))
        self.files = {checked_path(name): known for name, known in files.items()}
        self.delivery, self.recipient = member(facts, "delivery", str), member(facts, "recipient", str)
        organisation, medium = member(facts, "organisation", dict), member(facts, "medium", dict)
        self.code, self.organisation = member(organisation, "code", str), member(organisation, "name", str)
        self.medium = "{} {}".format(member(medium, "kind", str), member(medium, "serial", str)).strip()
        self.product, self.version = member(facts, "product", str), member(facts, "version", str)
        self.counter = member(facts, "counter", int)
        self.manifest_sha256 = member(member(facts, "manifest", dict), "sha256", str)
        self.issued_at = instant(member(facts, "issuedAt", str))
        self.artifacts = member(facts, "artifacts", list)
        require(self.delivery and self.recipient and self.code and self.organisation and self.product and self.version)
        require(0 < self.counter <= GREATEST and is_digest(self.manifest_sha256) and self.artifacts)
        require(all(isinstance(name, str) for name in self.artifacts))
        require(len(set(self.artifacts)) == len(self.artifacts))

    def require_of(self, manifest: Manifest, manifest_sha256: str) -> None:
        disagreements = {
            "SHA-256": self.manifest_sha256 != manifest_sha256,
            "product, version": (self.product, self.version) != (manifest.product, manifest.version),
            "counter": self.counter != manifest.counter,
            "artifacts": not set(self.artifacts) <= set(manifest.files),
            "files": bool(set(self.files) & set(manifest.files)),
        }
        for what, is_so in disagreements.items():
            if is_so:
                raise Problem("slip-disagrees", what)


SUMS_LINE = re.compile(r"(\\?)([0-9a-f]{64}) ([ *])(.+)", re.DOTALL)
ESCAPES = {"\\\\": "\\", "\\n": "\n", "\\r": "\r"}


def parse_sums(data: bytes) -> Dict[str, str]:
    """`SHA256SUMS` as GNU coreutils writes it, and nothing else."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise Problem("malformed-sums", str(data.count(b"\n", 0, error.start) + 1)) from error
    if not text.endswith("\n"):
        raise Problem("malformed-sums", str(text.count("\n") + 1))
    digests: Dict[str, str] = {}
    for number, line in enumerate(text[:-1].split("\n"), start=1):
        try:
            name, digest = sums_entry(line)
            require(name not in digests)
        except Malformed as error:
            raise Problem("malformed-sums", str(number)) from error
        digests[name] = digest
    return digests


def sums_entry(line: str) -> Tuple[str, str]:
    found = SUMS_LINE.fullmatch(line)
    if found is None:
        raise Malformed
    mark, digest, _, written = found.groups()
    require("\r" not in written)
    name = written
    if mark:
        require(all(escape in ESCAPES for escape in re.findall(r"\\.?", written, re.DOTALL)))
        name = re.sub(r"\\.", lambda match: ESCAPES[match[0]], written)
    require(bool(mark) == any(sign in name for sign in "\\\n\r"))
    return checked_name(name), digest


# What the documents establish


class Proof:
    """`files` is None unless everything that is signed holds and agrees."""

    def __init__(self, asked: Asked, openssl: Openssl, present: List[str]) -> None:
        self.asked, self.openssl = asked, openssl
        self.problems: List[Problem] = []
        self.manifest: Optional[Manifest] = None
        self.slip: Optional[Slip] = None
        self.key: Optional[Key] = None
        self.files: Optional[Dict[str, Tuple[str, Optional[int]]]] = None
        manifest_sha256 = self._read_manifest() if MANIFEST in present or SLIP in present else ""
        digests = self._noted(self._read_sums) or {}
        if SLIP in present:
            self._noted(lambda: self._read_slip(manifest_sha256))
        if not self.problems:
            self.files = {name: (digest, None) for name, digest in digests.items()}
            for document in (self.manifest, self.slip):
                self.files.update(document.files if document else {})
        self._compare_with_what_is_asked()

    def _noted(self, step: Any) -> Any:
        try:
            return step()
        except Problem as problem:
            self.problems.append(problem)

    def _read_manifest(self) -> str:
        data = self._noted(lambda: document(self.asked.folder / MANIFEST, MANIFEST)) or b""
        if data:
            self.manifest = self._noted(lambda: self._statement(data, Manifest, MANIFEST, "malformed-manifest"))
        elif not self.problems:
            self.problems.append(Problem("malformed-manifest"))
        return hashlib.sha256(data).hexdigest()

    def _read_slip(self, manifest_sha256: str) -> None:
        data = document(self.asked.folder / SLIP, SLIP)
        self.slip = self._statement(data, Slip, SLIP, "malformed-slip")
        if self.manifest is not None:
            self.slip.require_of(self.manifest, manifest_sha256)

    def _read_sums(self) -> Dict[str, str]:
        sums = document(self.asked.folder / SUMS, SUMS)
        signature = document(self.asked.folder / SUMS_SIGNATURE, SUMS_SIGNATURE)
        if not self.asked.keys:
            raise Problem("unknown-key", SUMS)
        self.key = next((key for key in self.asked.keys if self.openssl.holds(key, sums, signature)), None)
        if self.key is None:
            raise Problem("bad-signature", SUMS)
        digests = parse_sums(sums)
        if self.manifest is not None and digests != {name: known[0] for name, known in self.manifest.files.items()}:
            raise Problem("documents-disagree")
        return digests

    def _statement(self, envelope: bytes, kind: Any, name: str, malformed: str) -> Any:
        """What a DSSE envelope holds, once a known key vouches for it (its PAE: lengths before contents)."""
        try:
            parts = parse_json(envelope)
            require(isinstance(parts, dict) and parts.get("payloadType") == PAYLOAD_TYPE)
            signatures = member(parts, "signatures", list)
            require(signatures)
            payload = decoded(parts.get("payload"))
            signed = [(member(one, "keyid", str), decoded(one.get("sig"))) for one in signatures]
            key, der = self._first_known(signed, name)
            sizes = (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)
            if not self.openssl.holds(key, b"DSSEv1 %d %b %d %b" % sizes, der):
                raise Problem("bad-signature", name)
            return kind(parse_json(payload))
        except Malformed as error:
            raise Problem(malformed) from error

    def _first_known(self, signed: List[Tuple[str, bytes]], name: str) -> Tuple[Key, bytes]:
        for key_id, der in signed:
            for key in self.asked.keys:
                if key.key_id == key_id:
                    return key, der
        raise Problem("unknown-key", name)

    def _compare_with_what_is_asked(self) -> None:
        asked = self.asked
        if asked.installed_counter is not None:
            if self.manifest is None:
                self.problems.append(Problem("counter-unknown"))
            elif self.manifest.counter < asked.installed_counter:
                self.problems.append(Problem("counter-rollback", str(self.manifest.counter)))
        if asked.customer is not None:
            if self.slip is None:
                self.problems.append(Problem("customer-unknown", asked.customer))
            elif self.slip.code.casefold() != asked.customer.casefold():
                self.problems.append(Problem("other-customer", self.slip.code))
        if asked.keys_within:
            self.problems.append(Problem("key-within"))

    def absence(self, name: str) -> str:
        was_sent = self.slip is None or name in self.slip.artifacts or name in self.slip.files
        return "missing" if was_sent else "not-sent"


# Looking at files: no link is followed, no pipe waited for


def open_plain(path: Path) -> Optional[int]:
    if not stat.S_ISREG(path.lstat().st_mode):
        return None
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(str(path), flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    return descriptor


def document(path: Path, name: str) -> bytes:
    try:
        descriptor = open_plain(path)
    except FileNotFoundError as error:
        raise Problem("document-missing", name) from error
    except OSError as error:
        raise Problem("folder-unreadable", name) from error
    if descriptor is None:
        raise Problem("document-not-a-file", name)
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(MOST_DOCUMENT_BYTES + 1)
    if len(data) > MOST_DOCUMENT_BYTES:
        raise Problem("document-not-a-file", name)
    return data


def entries(folder: Path, within: str = "") -> Dict[str, Path]:
    return {within + name: folder / name for name in os.listdir(str(folder))}


def is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def look_at_all(asked: Asked, present: Dict[str, Path], proof: Proof) -> Dict[str, Finding]:
    findings: Dict[str, Finding] = {}
    if SLIP in present and KEYS in present and is_folder(present[KEYS]):
        try:
            present.update(entries(present.pop(KEYS), KEYS + "/"))
        except OSError:
            findings[KEYS] = Finding("unreadable")
    known = proof.files or {}
    for name, path in present.items():
        is_aside = name in DOCUMENTS or (name in asked.aside and name not in known)
        findings[name] = look(name, path, is_aside=is_aside, files=proof.files)
    for name in set(known) - set(present):
        findings[name] = Finding(proof.absence(name))
    return findings


def look(name: str, path: Path, *, is_aside: bool, files: Optional[Dict[str, Tuple[str, Optional[int]]]]) -> Finding:
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return Finding("not-a-file")
        if is_aside:
            return Finding("document")
        if files is None:
            return Finding("unproven")
        if name not in files:
            return Finding("not-listed")
        descriptor = open_plain(path)
        return Finding("not-a-file") if descriptor is None else compare(descriptor, *files[name])
    except OSError as error:
        return Finding("unreadable", error.strerror or str(error))


def compare(descriptor: int, expected: str, expected_bytes: Optional[int]) -> Finding:
    digest = hashlib.sha256()
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        size_bytes = os.fstat(file.fileno()).st_size
        if expected_bytes not in (None, size_bytes):  # a terabyte of holes need not be read to be wrong
            return Finding("wrong", f"{size_bytes} / {expected_bytes} B")
        for block in iter(lambda: file.read(BLOCK_BYTES), b""):
            digest.update(block)
    is_right = digest.hexdigest() == expected
    return Finding("right") if is_right else Finding("wrong", f"SHA-256 {digest.hexdigest()}")


# Saying it


def shown(text: str) -> str:
    """What is not printable is escaped, so that no name can write a line of its own."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


class Outcome(NamedTuple):
    folder: Path
    proof: Optional[Proof]
    findings: Dict[str, Finding]
    problems: List[Problem]

    @property
    def exit_code(self) -> int:
        """A fault that was seen outweighs one that could not be looked for."""
        odd = [finding.state for finding in self.findings.values() if finding.state not in HARMLESS]
        if not self.problems and not odd:
            return VERIFIED
        faults = [problem for problem in self.problems if problem.code not in UNKNOWING]
        return NOT_VERIFIED if faults or any(state not in SILENT for state in odd) else NOT_CHECKED


def render(outcome: Outcome, language: str) -> str:
    number = LANGUAGES.index(language)

    def say(code: str) -> str:
        return TEXTS[code][number]

    def line(head: str, text: str) -> str:
        return f"{say(head):<16}{shown(text)}"

    lines = [line("folder", str(outcome.folder)), *[line(*told) for told in about(outcome.proof, say)]]
    odd_or_right = [(name, one) for name, one in sorted(outcome.findings.items()) if one.state != "document"]
    lines += [line(one.state, f"{name} ({one.detail})" if one.detail else name) for name, one in odd_or_right]
    for problem in outcome.problems:
        lines.append("{:<16}{} [{}]".format(say("problem"), sentence(problem, language), problem.code))
    return "\n".join([*lines, "", say(str(outcome.exit_code))])


def about(proof: Optional[Proof], say: Callable[[str], str]) -> Iterator[Tuple[str, str]]:
    """Release, recipient, delivery and key, as far as they are proven."""

    def dated(at: datetime) -> str:
        days = (datetime.now(timezone.utc) - at).days
        return f"{at:%Y-%m-%d %H:%M} UTC (" + (say("future") if days < 0 else f"{days} {say('days')}") + ")"

    if proof and proof.manifest:
        told = proof.manifest
        what = f"{told.product} {told.version} ({told.level}), {say('counter')} {told.counter}"
        yield "release", f"{what}, {say('published')} {dated(told.published_at)}"
    if proof and proof.slip:
        slip = proof.slip
        yield "made-for", f"{slip.code}, {slip.organisation}; {slip.recipient}"
        medium = f", {say('medium')} {slip.medium}" if slip.medium else ""
        yield "delivery", f"{slip.delivery}{medium}, {say('issued')} {dated(slip.issued_at)}"
    if proof and proof.key:
        key_id = proof.key.key_id
        yield "signed-by", " ".join(key_id[start : start + 4] for start in range(0, len(key_id), 4))


def sentence(problem: Problem, language: str) -> str:
    text = TEXTS[problem.code][LANGUAGES.index(language)]
    return text % shown(problem.fact) if "%s" in text else text


def as_json(outcome: Outcome) -> str:
    proof = outcome.proof
    told = {
        "exit_code": outcome.exit_code,
        "files": {name: finding.state for name, finding in outcome.findings.items()},
        "problems": sorted(problem.code for problem in outcome.problems),
        "key_id": proof.key.key_id if proof and proof.key else None,
        "delivery": proof.slip.delivery if proof and proof.slip else None,
        "counter": proof.manifest.counter if proof and proof.manifest else None,
    }
    return json.dumps(told, ensure_ascii=True, indent=1, sort_keys=True)


# What is asked


def language_here() -> str:
    names = [os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    said = next((name for name in names if name), "") or locale.getlocale()[0] or ""
    return "ru" if said.lower().startswith(("ru", "russian")) else "en"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    here = Path(__file__).resolve().parent
    parser.add_argument("folder", nargs="?", type=Path, default=here, help="the kit (default: where this file is)")
    parser.add_argument("--key", action="append", type=Path, default=[], help="public key (PEM), not out of this kit")
    parser.add_argument("--fingerprint", action="append", default=[], help="of the kit's key, known from elsewhere")
    parser.add_argument("--customer", help="the code of your organisation: refuse a kit made for another")
    parser.add_argument("--installed-counter", type=int, help="refuse a release older than this counter")
    parser.add_argument("--language", choices=LANGUAGES, default=language_here())
    parser.add_argument("--json", action="store_true", help="the findings for a program")
    return parser.parse_args()


def keys_given(paths: List[Path], openssl: Openssl) -> List[Key]:
    keys = []
    for path in paths:
        try:
            key = openssl.key(path.read_bytes())
        except OSError:
            key = None
        if key is None:
            raise Problem("malformed-key", str(path))
        keys.append(key)
    return keys


def keys_within(folder: Path, fingerprints: List[str], openssl: Openssl) -> List[Key]:
    meant = ["".join(text.split()).lower() for text in fingerprints]
    found = []
    try:
        paths = entries(folder / KEYS, KEYS + "/") if is_folder(folder / KEYS) else {}
    except OSError:
        paths = {}
    for name, path in sorted(paths.items()):
        try:
            key = openssl.key(document(path, name))
        except Problem as problem:
            if problem.code == "no-openssl":
                raise
            continue
        if key and (not meant or key.key_id in meant):
            found.append(key)
    return found


def check(given: argparse.Namespace, openssl: Openssl) -> Outcome:
    """What stands in the kit, by the keys that were named: all of them from elsewhere, or else nothing is proven."""
    keys = keys_given(given.key, openssl)
    if given.fingerprint or not given.key:
        keys += keys_within(given.folder, given.fingerprint, openssl)
    resolved = given.folder.resolve()
    is_within = not given.fingerprint and all(path.parent.resolve() == resolved / KEYS for path in given.key)
    aside = tuple(path.name for path in given.key if path.parent.resolve() == resolved)
    asked = Asked(given.folder, keys, given.customer, given.installed_counter, is_within, aside)
    try:
        present = entries(given.folder)
    except OSError:
        return Outcome(given.folder, None, {}, [Problem("folder-unreadable", str(given.folder))])
    proof = Proof(asked, openssl, list(present))
    return Outcome(given.folder, proof, look_at_all(asked, present, proof), proof.problems)


def main() -> int:
    given = arguments()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a console that can't show a letter
    with tempfile.TemporaryDirectory() as folder:
        try:
            outcome = check(given, Openssl(Path(folder)))
        except Problem as problem:
            print(sentence(problem, given.language), file=sys.stderr)
            return NOT_CHECKED
    print(as_json(outcome) if given.json else render(outcome, given.language))
    return outcome.exit_code


if __name__ == "__main__":
    sys.exit(main())
