"""A vendor far away: TLS on loopback, with round trips as long as a distance makes them."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROUND_TRIP = 0.08
_ANSWER = json.dumps(
    {
        "Response": {"TotalCount": 0, "RegisterCodeSet": [], "RequestId": "r"},
        "ActivationList": {"Activation": []},
        "RequestId": "r",
    }
).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    context: ssl.SSLContext
    connections = 0

    def finish_request(self, request: Any, client_address: Any) -> None:
        """One thread a connection, as late as a distant client would be heard."""
        # One round trip for TCP, one for TLS 1.3; the request's own is in the handler.
        self.connections += 1
        time.sleep(2 * ROUND_TRIP)
        with self.context.wrap_socket(request, server_side=True) as secured:
            secured.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _Handler(secured, client_address, self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_POST(self) -> None:
        """Any request is answered alike."""
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        time.sleep(ROUND_TRIP)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(_ANSWER)))
        self.end_headers()
        self.wfile.write(_ANSWER)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def far_vendor(folder: Path) -> Iterator[tuple[_Server, Path]]:
    """The server, and the file of the certificate that it shows."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    server = _Server(("127.0.0.1", 0), _Handler)
    server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.context.load_cert_chain(certificate, key)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server, certificate
    finally:
        server.shutdown()
        server.server_close()
