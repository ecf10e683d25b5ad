"""What thousands of tests would each do again with the same outcome, done once; what is dear by design, done cheaply.

What is dear by design has tests of its own, with its real numbers.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

from portal.accounts import passwords
from signing import pkcs8

REAL_ROUNDS = pkcs8.ROUNDS


@contextmanager
def cheap_secrets() -> Iterator[None]:
    """Hashes of passwords and of key files' passphrases that cost nothing: else most of the suite's time."""
    costly = passwords.HASHER
    passwords.HASHER, pkcs8.ROUNDS = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1), 1000
    yield
    passwords.HASHER, pkcs8.ROUNDS = costly, REAL_ROUNDS


@contextmanager
def rules_written_once() -> Iterator[None]:
    """Werkzeug writes and compiles two Python functions for each route of each application: 30 ms each time.

    They depend on nothing but the rule's own words, and are bound to the rule afterwards.
    """
    write, written = Rule._compile_builder, {}

    def written_once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        words = (rule.rule, *rule._trace, repr(rule.defaults), append_unknown)
        if words not in written:
            written[words] = write(rule, append_unknown)
        return written[words]

    Rule._compile_builder = written_once
    yield
    Rule._compile_builder = write


class TemplatesCompiledOnce(BytecodeCache):
    """The code of every template for all applications of this process; Jinja drops what no longer fits its source."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


TEMPLATES = TemplatesCompiledOnce()
