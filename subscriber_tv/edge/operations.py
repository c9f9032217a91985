"""The port of those who run the edge, on an address that TVs do not reach: numbers, and the comparison with the ERP."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from subscriber_tv.edge.metrics import CONTENT_TYPE

log = logging.getLogger("subscriber_tv.edge")

_MAX_BODY = 1024 * 1024
_SECONDS = 10.0

# Path, Authorization and body of a question -> status and body of the answer.
Answering = Callable[[str, "str | None", bytes], "tuple[int, bytes]"]


def serve(host: str, port: int, page: Callable[[], str], answer: Answering) -> ThreadingHTTPServer:
	"""Serve `page()` at GET /metrics and `answer` for every POST, in the background. Port 0 takes a free one."""

	class Handler(BaseHTTPRequestHandler):
		timeout = _SECONDS

		def do_GET(self):
			if self.path.partition("?")[0] == "/metrics":
				self._send(200, CONTENT_TYPE, page().encode())
			else:
				self._send(404, "application/json", b'{"error":"not_found"}')

		def do_POST(self):
			length = self.headers.get("Content-Length") or ""
			if not (length.isascii() and length.isdigit()) or int(length[:9]) > _MAX_BODY:
				self._send(413, "application/json", b'{"error":"too_large"}')
				return
			body = self.rfile.read(int(length))
			status, answered = answer(self.path, self.headers.get("Authorization"), body)
			self._send(status, "application/json", answered)

		def _send(self, status: int, kind: str, body: bytes):
			self.send_response(status)
			self.send_header("Content-Type", kind)
			self.send_header("Content-Length", str(len(body)))
			self.end_headers()
			self.wfile.write(body)

		def log_message(self, *_):
			pass

	server = _Server((host, port), Handler)
	Thread(target=server.serve_forever, name="operations", daemon=True).start()
	return server


class _Server(ThreadingHTTPServer):
	daemon_threads = True

	def handle_error(self, request, client_address):
		log.exception("a question to the port of operations failed")
