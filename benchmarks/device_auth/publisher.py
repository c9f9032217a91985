"""A publisher for edges under load: it confirms that nothing changed, and takes every report.

`python -m benchmarks.device_auth.publisher PORT LEASE_KEY SEQUENCE`; it runs beside the load, not on the servers' core.
"""

from __future__ import annotations

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from benchmarks.device_auth.fleet import FEED_SECRET
from subscriber_tv.core.activation import feed
from subscriber_tv.core.devices import jws


def handler(signer: jws.Signer, sequence: int) -> type[BaseHTTPRequestHandler]:
	"""What answers an edge that has everything up to `sequence`."""

	class Handler(BaseHTTPRequestHandler):
		protocol_version = "HTTP/1.1"

		def do_GET(self):
			now = int(time.time())
			if not feed.authorized(self.headers.get("Authorization"), FEED_SECRET, self.path, now):
				return self._reply(401)
			asked = parse_qs(urlsplit(self.path).query)
			if int(asked["after"][0]) != sequence:
				return self._reply(409)
			time.sleep(min(20, int(asked.get("wait", ["0"])[0])))
			page = feed.Page(feed.DELTA, sequence, sequence, int(time.time()), True, ())
			return self._reply(200, *feed.encode_page(page, signer))

		def do_POST(self):
			body = self.rfile.read(int(self.headers["Content-Length"]))
			now, given = int(time.time()), self.headers.get("Authorization")
			genuine = feed.authorized(given, FEED_SECRET, self.path, now, method="POST", body=body)
			self._reply(200 if genuine else 401)

		def _reply(self, status: int, body: bytes = b"", signature: str = "") -> None:
			self.send_response(status)
			self.send_header("Content-Length", str(len(body)))
			self.send_header(feed.SIGNATURE_HEADER, signature)
			self.end_headers()
			self.wfile.write(body)

		def log_message(self, *_):
			pass

	return Handler


def main() -> None:
	"""Serve until ended."""
	port, key, sequence = sys.argv[1:]
	signer = jws.Signer(Path(key).read_bytes())
	server = ThreadingHTTPServer(("127.0.0.1", int(port)), handler(signer, int(sequence)))
	server.daemon_threads = True
	server.serve_forever()


if __name__ == "__main__":
	main()
