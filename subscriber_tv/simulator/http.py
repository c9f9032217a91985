"""How a simulated TV reaches whoever answers: one kept connection, the addresses of an edge or of the desk."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

# As core.devices.wire has it, which takes more to import than prices and bills need.
MAC_HEADER = "X-TV-MAC"
_METHOD = "/api/method/subscriber_tv.api.activation."


@dataclass(frozen=True)
class Paths:
	"""Where the operations live. The bodies are the same everywhere."""

	base: str
	offer: str
	jwks: str
	hello: str

	def of(self, operation: str) -> str:
		"""The address of a POST operation of the protocol."""
		return self.base + operation


EDGE = Paths("/v1/", "/v1/offer/", "/v1/jwks", "/v1/hello")
DESK = Paths(_METHOD, f"{_METHOD}offer?hash=", f"{_METHOD}jwks", f"{_METHOD}hello")


@dataclass(frozen=True)
class Reply:
	"""An HTTP answer; `document` is its JSON object, empty when `text` is none. `mac` is its header X-TV-MAC."""

	status: int
	document: dict[str, Any]
	text: str
	headers: dict[str, str]
	mac: str = ""


class NoAnswer(Exception):
	"""Nobody answered, or not in HTTP."""


class Service:
	"""An edge (`http://host:port`) or a desk (`kind="desk"`), over one connection that is opened again when it breaks."""

	def __init__(self, url: str, kind: str = "edge", site: str = "", timeout: float = 10.0):
		self._url = urlsplit(url)
		self._timeout = timeout
		self._headers = {"X-Frappe-Site-Name": site} if site else {}
		self._connection: http.client.HTTPConnection | None = None
		# Given with a refusal for want of room; whoever shows it when he comes back goes first.
		self._ticket = ""
		self.paths = {"edge": EDGE, "desk": DESK}[kind]

	def post(self, path: str, document: dict[str, str]) -> Reply:
		"""POST a JSON object."""
		body = json.dumps(document, separators=(",", ":")).encode()
		return self._exchange("POST", path, body, {"Content-Type": "application/json"})

	def get(self, path: str) -> Reply:
		"""GET whatever is there."""
		return self._exchange("GET", path, None, {})

	def close(self) -> None:
		"""Hang up."""
		if self._connection:
			self._connection.close()
		self._connection = None

	def _exchange(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
		fresh = self._connection is None
		try:
			return self._once(method, path, body, headers)
		except (OSError, http.client.HTTPException) as error:
			self.close()
			if fresh:
				raise NoAnswer(str(error) or type(error).__name__) from None
		# The server may have closed a connection that had been idle; every operation can be asked twice.
		try:
			return self._once(method, path, body, headers)
		except (OSError, http.client.HTTPException) as error:
			self.close()
			raise NoAnswer(str(error) or type(error).__name__) from None

	def _once(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Reply:
		if self._connection is None:
			secure = self._url.scheme == "https"
			kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
			self._connection = kind(self._url.netloc, timeout=self._timeout)
		ticket = {"X-TV-Slot": self._ticket} if self._ticket else {}
		self._connection.request(
			method, self._url.path.rstrip("/") + path, body, {**self._headers, **headers, **ticket}
		)
		response = self._connection.getresponse()
		content = response.read()
		text = content.decode(errors="replace")
		mac, document = response.getheader(MAC_HEADER) or "", _object(content)
		self._ticket = str(document.get("slot", "")) if response.status == 503 else ""
		return Reply(response.status, document, text, dict(response.getheaders()), mac)


def _object(content: bytes) -> dict[str, Any]:
	try:
		document = json.loads(content)
	except ValueError:
		return {}
	return document if isinstance(document, dict) else {}
