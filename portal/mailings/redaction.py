"""The secret of a link stands in an address, and addresses are written into logs: there it is blotted out."""

import logging
import re

SECRET_IN_PATH = re.compile(r"(/(?:[mr]|recalls/answer|invitation|reset|calendar)/)[A-Za-z0-9_.-]{20,}")
BLOT = r"\1…"


class Blotting(logging.Filter):
    """Rewrites a record that names the address of a link; it lets every record through."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        blotted = SECRET_IN_PATH.sub(BLOT, text)
        if blotted != text:
            record.msg, record.args = blotted, ()
        return True


def install(logger: logging.Logger) -> None:
    """On the logger that notes failed requests with their addresses."""
    if not any(isinstance(one, Blotting) for one in logger.filters):
        logger.addFilter(Blotting())
