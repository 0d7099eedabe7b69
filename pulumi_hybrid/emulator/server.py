"""HTTP: sockets in, `HttpRequest` and `HttpAnswer` out.

The standard library's server, not werkzeug's: that one (3.1) closes every connection after its
answer and waits 10 ms for more input before, and a client that keeps its connections open, with
all that can go wrong there, is what the emulator is to be tried with.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .api import Ending, HttpAnswer, HttpRequest

HOST = "127.0.0.1"


class Server(ThreadingHTTPServer):
    """One thread for each connection, on loopback alone.

    Args:
        port: 0 takes a free one.
        answer: called with each request, from many threads at once.
        seconds: the time of the header `Date`, by which clients see how far their clock is off.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        port: int,
        answer: Callable[[HttpRequest], HttpAnswer],
        seconds: Callable[[], float] = time.time,
    ) -> None:
        super().__init__((HOST, port), Handler)
        self.answer = answer
        self.seconds = seconds
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.02,), name="emulator", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://{HOST}:{self.server_port}"

    def server_bind(self) -> None:
        """As inherited, but without asking the name service who 127.0.0.1 is."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = HOST, self.server_address[1]

    def stop(self) -> None:
        """Listen no longer, and close the connections that clients keep open."""
        self.shutdown()
        self._thread.join()
        self.server_close()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection for `stop`."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """End a connection: with a FIN, or with a RST where `Handler` has asked for one."""
        with self._lock:
            self._connections.discard(request)
        lingers, _ = struct.unpack("ii", request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
        if lingers:
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news; whatever else goes wrong is answered, not raised."""


class Handler(BaseHTTPRequestHandler):
    """Reads one request after the other from a connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every answer waits 40 ms for an acknowledgement
    wbufsize = -1  # head and body in one packet
    server: Server

    def handle_one_request(self) -> None:
        """One request; a connection that the client has broken is at its end."""
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def serve(self) -> None:
        """Answer a request of any method."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = self.read_body(headers)
        except ValueError:
            self.send_error(400)
            self.close_connection = True
            return
        path, _, query = self.path.partition("?")
        answer = self.server.answer(HttpRequest(self.command, path, query, headers, body))
        if answer.ending is Ending.ANSWERED:
            self.write(answer)
            return
        if answer.ending is Ending.RESET:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = serve  # noqa: N815 - http.server looks for these names

    def read_body(self, headers: Mapping[str, str]) -> bytes:
        """The whole body, so that the next request on the connection begins after it."""
        if "transfer-encoding" not in headers:
            length = int(headers.get("content-length", "0"))
            if length < 0:
                raise ValueError(length)
            return self.rfile.read(length)
        body = b""
        while size := int(self.rfile.readline(1024).partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline(1024)
        while self.rfile.readline(1024).strip():
            continue  # trailers mean nothing here
        return body

    def write(self, answer: HttpAnswer) -> None:
        """Send an answer; its length is that of the body as it is."""
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The header `Date`."""
        return super().date_time_string(self.server.seconds())

    def version_string(self) -> str:
        """The header `Server`."""
        return "pulumi-hybrid-emulator"

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: `GET /_emulator/requests` says more."""
