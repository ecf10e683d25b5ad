"""How the portal listens: granian over WSGI, one process of many threads (docs/production.md has the larger ways).

A download holds a thread for as long as its client takes, so there are threads for every download allowed at once
(`Config.max_downloads`) and these many beside, which downloads never get: slow clients can't starve the pages.
"""

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from portal.app import create_app, open_portal
from portal.config import Config
from portal.jobs.worker import run_until
from portal.resources import Resources

THREADS_FOR_PAGES = 32
NETWORK_THREADS = 2
"""One thread writing to all sockets is what limits many downloads at once."""
IDLE_SECONDS = 60
STOP_SECONDS = 10
"""How long running downloads may hold up the end; they can be resumed."""


def serve(config: Config, host: str, port: int) -> None:
    """Serve until SIGINT or SIGTERM. The database must have its schema.

    The server forks: call it with no engine open, and where no paper was drawn yet. The drawing library's threads stay
    behind in the parent, and whoever asked the child for a paper would wait for them for ever.
    """
    server = Granian(
        "portal",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=config.max_downloads + THREADS_FOR_PAGES,
        runtime_threads=NETWORK_THREADS,
        blocking_threads_idle_timeout=IDLE_SECONDS,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.error,
        workers_kill_timeout=STOP_SECONDS,
    )
    server.serve(target_loader=partial(load, config), wrap_loader=False)


def load(config: Config) -> Callable[..., Any]:
    """The application, made in the process that serves it, with a worker beside it when the configuration says so."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    resources = open_portal(config)
    if config.worker_in_process:
        start_worker(resources)
    return create_app(resources=resources)


def start_worker(resources: Resources) -> None:
    """Run jobs until the process ends; a job under way is finished first, instead of waiting out its lease."""
    stop = threading.Event()
    threading.Thread(target=run_until, args=(stop, resources), name="portal-worker").start()
    threading.Thread(target=_stop_at_end, args=(stop,), name="portal-worker-stop", daemon=True).start()


def _stop_at_end(stop: threading.Event) -> None:
    threading.main_thread().join()
    stop.set()
