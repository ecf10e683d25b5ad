"""The verifier that travels in every kit: one file, Python 3.8 with its standard library, and `openssl`.

It imports nothing from here and is never imported: it is read, and written into kits as `verify.py`.
"""

from pathlib import Path


def verifier() -> bytes:
    """The text of `verify.py`."""
    return Path(__file__).with_name("verify.py").read_bytes()
