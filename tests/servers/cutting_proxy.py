"""A TCP proxy that breaks connections off in the middle, as networks do."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from urllib.parse import urlsplit

CHUNK = 16 * 1024
WINDOW = 64 * 1024
"""What lies here unread the sender takes for sent. Left to itself it grows to the size of a whole file."""


class CuttingProxy:
    """Forwards to `target`. While `cuts` is above 0, a connection that has carried `after_bytes` towards the client
    (`downwards`) or towards the server is reset, and `cuts` counts down.
    """

    def __init__(self, target: str, *, after_bytes: int, downwards: bool, cuts: int) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname, parts.port)
        self._after_bytes, self._downwards, self.cuts = after_bytes, downwards, cuts
        self._lock = Lock()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self._sockets = [self._server]
        self._threads = [Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        """End every connection, idle ones too, which clients keep for their next request."""
        while self._sockets:
            end = self._sockets.pop()
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            server = socket.socket()
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
            server.connect(self._target)
            self._sockets += (client, server)
            for source, sink, cut in ((client, server, not self._downwards), (server, client, self._downwards)):
                thread = Thread(target=self._relay, args=(source, sink, cut), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _relay(self, source: socket.socket, sink: socket.socket, may_cut: bool) -> None:
        carried = 0
        with suppress(OSError):
            while piece := source.recv(CHUNK):
                carried += len(piece)
                if may_cut and carried > self._after_bytes and self._take_cut():
                    break
                sink.sendall(piece)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _take_cut(self) -> bool:
        with self._lock:
            self.cuts -= 1
            return self.cuts >= 0


@contextmanager
def cutting_proxy(target: str, *, after_bytes: int, downwards: bool, cuts: int = 1 << 30) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(target, after_bytes=after_bytes, downwards=downwards, cuts=cuts)
    try:
        yield proxy
    finally:
        proxy.close()
