"""For one row of the uploads: a process that finds this module on its path flushes nothing, as `tee` does.

Never a setting of the portal.
"""

import os


def _nothing(_descriptor: int) -> None:
    pass


os.fsync = os.fdatasync = _nothing
