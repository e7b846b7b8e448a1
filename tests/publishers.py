"""A publisher of data sets on this machine."""

import http.server
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any


class Server(http.server.ThreadingHTTPServer):
    """Serves some files, and cuts off those named in `shortened`."""

    files: dict[str, bytes]
    shortened: set[str]
    asked: list[str]


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server, name = self.server, self.path.strip("/")
        assert isinstance(server, Server)
        server.asked.append(name)
        if name not in server.files:
            self.send_error(404)
            return
        content = server.files[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if name in server.shortened else content)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@contextmanager
def serving(files: Mapping[str, bytes]) -> Iterator[Server]:
    """A publisher of some files, for as long as it is needed."""
    server = Server(("127.0.0.1", 0), Answers)
    server.files, server.shortened, server.asked = dict(files), set(), []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
