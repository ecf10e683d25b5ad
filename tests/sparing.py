"""What thousands of tests would each do again with the same outcome, done once; what is dear by design, done cheaply.

What is dear by design has tests of its own, with its real numbers.
"""

from collections.abc import Iterator
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
    """Werkzeug reads each route of each application and writes and compiles two Python functions for it: 40 ms.

    All of it follows from the rule's own words alone; the functions are bound to the rule afterwards.
    """
    compile_rule, known = Rule.compile, {}

    def compiled_once(rule: Rule) -> None:
        words = (rule.rule, rule.host, rule.subdomain, rule.merge_slashes, repr(rule.defaults))
        first = known.get(words)
        if first is None:
            compile_rule(rule)
            known[words] = rule
            return
        rule._parts, rule._trace, rule._converters = first._parts, first._trace, first._converters
        rule.arguments |= first.arguments
        rule._build = first._build.__func__.__get__(rule, None)
        rule._build_unknown = first._build_unknown.__func__.__get__(rule, None)

    Rule.compile = compiled_once
    yield
    Rule.compile = compile_rule


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
