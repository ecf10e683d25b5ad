import threading

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from portal.accounts import passwords
from portal.accounts.errors import PasswordLikeOwner, PasswordTooCommon, PasswordTooLong, PasswordTooShort
from tests.portals import PASSWORD

OWNER = {"email": "anna.petrova@alpha.example", "name": "Anna Petrova"}


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        ("", PasswordTooShort),
        ("x" * 11, PasswordTooShort),
        ("длинный пар", PasswordTooShort),
        ("x y z " * 43, PasswordTooLong),
        ("anna.petrova@alpha.example", PasswordLikeOwner),
        ("ANNA.PETROVA@ALPHA.EXAMPLE", PasswordLikeOwner),
        ("anna.petrova", PasswordLikeOwner),
        ("Anna Petrova", PasswordLikeOwner),
        ("annapetrova ", PasswordLikeOwner),
        ("Anna PetrovaAnna Petrova", PasswordLikeOwner),
        ("password1234", PasswordTooCommon),
        ("PassWord1234", PasswordTooCommon),
        ("aaaaaaaaaaaaaaaaaaaa", PasswordTooCommon),
        ("пароль123456", PasswordTooCommon),
        ("release portal", PasswordTooCommon),
    ],
)
def test_a_weak_password_is_refused(password, refusal):
    with pytest.raises(refusal) as caught:
        passwords.require_good(password, **OWNER)
    assert caught.value.code == "weak-password"


@pytest.mark.parametrize("password", [PASSWORD, "двенадцать ж", "x y z x y z 1", "\N{PILE OF POO}" * 3 + "123456789"])
def test_a_long_password_is_good_whatever_it_is_made_of(password):
    passwords.require_good(password, **OWNER)
    assert passwords.is_right(passwords.hash_of(password), password)


def test_a_hash_is_argon2id_and_salted():
    one, other = passwords.hash_of(PASSWORD), passwords.hash_of(PASSWORD)
    assert one.startswith("$argon2id$")
    assert one != other
    assert passwords.is_right(one, PASSWORD)
    assert not passwords.is_right(one, PASSWORD + " ")


def test_the_portals_own_cost_is_not_the_tests_one():
    owned = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
    assert passwords.is_outdated(passwords.hash_of(PASSWORD)) is False
    assert passwords.is_outdated(owned.hash(PASSWORD)) is True


@pytest.mark.parametrize("password", ["", PASSWORD, "x" * 1_000_000, "\0", "a password that is never accepted"])
def test_nobodys_hash_is_never_right(password):
    assert passwords.is_right(None, password) is False


@pytest.mark.parametrize("damaged", ["", "x", "$argon2id$", "$2b$12$abc", "\0"])
def test_a_damaged_hash_lets_nobody_in(damaged):
    assert passwords.is_right(damaged, PASSWORD) is False


def test_a_burst_of_sign_ins_takes_the_memory_of_a_few(monkeypatch):
    begun, go_on = threading.Semaphore(0), threading.Event()

    class Slow:
        def verify(self, _hash, _password):
            begun.release()
            go_on.wait(30)
            raise VerifyMismatchError

    monkeypatch.setattr(passwords, "HASHER", Slow())
    threads = [
        threading.Thread(target=passwords.is_right, args=("hash", PASSWORD)) for _ in range(passwords.AT_ONCE + 3)
    ]
    for thread in threads:
        thread.start()
    assert [begun.acquire(timeout=30) for _ in range(passwords.AT_ONCE)] == [True] * passwords.AT_ONCE
    assert not passwords.PLACES.acquire(blocking=False)
    go_on.set()
    for thread in threads:
        thread.join(30)
    assert [begun.acquire(timeout=30) for _ in range(3)] == [True] * 3
