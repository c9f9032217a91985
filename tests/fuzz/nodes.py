"""Who is asked: an edge and a desk over real sockets, with bytes of the test's own making."""

import http.client
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from subscriber_tv.simulator.http import Paths

JSON = {"Content-Type": "application/json"}


class Careless(http.client.HTTPConnection):
	"""Sends any address that it is given."""

	def _validate_path(self, url):
		pass


@dataclass(frozen=True)
class Reply:
	"""What came back over HTTP."""

	status: int
	headers: dict[str, str]
	body: bytes

	@property
	def mac(self) -> str:
		return self.headers.get("x-tv-mac", "")


@dataclass
class Node:
	"""A node and the connection to it, which is opened again when it was closed."""

	name: str
	url: str
	paths: Paths
	_connection: Careless | None = field(default=None, repr=False)

	@property
	def address(self) -> tuple[str, int]:
		parts = urlsplit(self.url)
		return parts.hostname, parts.port

	def ask(self, operation: str, body: bytes, **headers: str) -> Reply:
		"""POST this body to an operation."""
		return self.send("POST", self.paths.of(operation), body, {**JSON, **headers})

	def send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
		"""One request; asked once more when a kept connection turns out to be closed."""
		for _attempt in range(2):
			try:
				return self._once(method, path, body, headers)
			except (ConnectionError, http.client.BadStatusLine):
				self.hang_up()
		return self._once(method, path, body, headers)

	def _once(self, method, path, body, headers) -> Reply:
		if self._connection is None:
			self._connection = Careless(*self.address, timeout=30)
		connection = self._connection
		connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
		given = {"Content-Length": str(len(body or b"")), **headers}
		for name, value in given.items():
			connection.putheader(name, value)
		connection.endheaders(body)
		response = connection.getresponse()
		content = response.read()
		if response.will_close:
			self.hang_up()
		found = {name.lower(): value for name, value in response.getheaders()}
		return Reply(response.status, found, content)

	def hang_up(self) -> None:
		if self._connection:
			self._connection.close()
		self._connection = None

	def raw(self, data: bytes, seconds: float = 3.0, then: bytes = b"", pause: float = 0.0) -> bytes:
		"""What comes back for these bytes until the node hangs up or `seconds` pass."""
		received = b""
		with socket.create_connection(self.address, timeout=seconds) as connection:
			with suppress(ConnectionError, TimeoutError):
				connection.sendall(data)
				if then:
					time.sleep(pause)
					connection.sendall(then)
			with suppress(ConnectionError, TimeoutError):
				while chunk := connection.recv(65_536):
					received += chunk
					# What else there is to say comes at once.
					connection.settimeout(min(seconds, 1.0))
		return received


def replies_in(received: bytes) -> list[Reply]:
	"""The replies in what came back over one connection."""
	found = []
	while received.startswith(b"HTTP/1."):
		head, _, rest = received.partition(b"\r\n\r\n")
		lines = head.decode("latin-1").split("\r\n")
		headers = {
			name.strip().lower(): value.strip()
			for name, _, value in (line.partition(":") for line in lines[1:])
		}
		size = int(headers.get("content-length", len(rest)))
		found.append(Reply(int(lines[0].split()[1]), headers, rest[:size]))
		received = rest[size:]
	return found
