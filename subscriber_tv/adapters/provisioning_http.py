"""Orders over HTTP: `POST {address}/orders`, one at a time, and `GET {address}/holdings`, page by page; every request signed.

A platform is not trusted to behave: time-outs for connecting, for each read and for the whole, no redirects, no more
bytes read than an answer may have, no proxy, cookie or password from the environment.
"""

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlencode, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError

from subscriber_tv.adapters.provisioning import NotHeld
from subscriber_tv.core.provisioning import message
from subscriber_tv.core.provisioning.orders import RETRY, Outcome

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
TOTAL_SECONDS = 30.0
"""A whole exchange; below the time after which another worker takes a sent order up."""

ANSWER_BYTES = 64 * 1024
PAGE_BYTES = 4 * 1024 * 1024
PAGE_ROWS = 1000
MOST_PAGES = 10_000

FAULTS = (requests.RequestException, HTTPError, OSError, ValueError)
"""All that an exchange can end with when the other side or the network misbehaves."""


class HttpPlatform:
	"""A platform behind an address.

	:param address: http(s) URL without query
	:param secret: shared secret that signs requests
	:param lanes: how many requests may be under way at once
	"""

	def __init__(
		self,
		address: str,
		secret: bytes,
		*,
		lanes: int = 1,
		connect: float = CONNECT_SECONDS,
		read: float = READ_SECONDS,
		total: float = TOTAL_SECONDS,
	):
		self._lanes = [_Lane(address, secret, (connect, read), total) for _lane in range(max(1, lanes))]

	def send(self, messages: Sequence[message.Message], batch: int = 0) -> list[Outcome]:
		"""Send orders of different subjects; what became of each, in order. Never raises for what a platform does."""
		if len(self._lanes) == 1 or len(messages) == 1:
			return [self._lanes[0].send(one) for one in messages]
		number = len(self._lanes)
		outcomes: list[Outcome] = [Outcome(RETRY)] * len(messages)

		def drive(at: int) -> None:
			for index in range(at, len(messages), number):
				outcomes[index] = self._lanes[at].send(messages[index])

		with ThreadPoolExecutor(number) as pool:
			list(pool.map(drive, range(number)))
		return outcomes

	def acknowledged(self) -> Iterator[tuple[int, dict[str, Outcome]]]:
		"""Nothing: a request is answered at once."""
		return iter(())

	def settle(self, batch: int) -> None:
		"""Nothing to put aside."""

	def as_of(self, kind: str) -> int:
		"""Now: the platform is asked at once."""
		return int(time.time())

	def holdings(self, kind: str) -> Iterator[message.Holding]:
		"""What the platform says it holds of this kind. Errors: NotHeld, message.BadAnswer."""
		after = ""
		for _page in range(MOST_PAGES):
			query = urlencode({"kind": kind.lower(), "after": after, "limit": PAGE_ROWS})
			page = message.read_page(self._lanes[0].get(f"/holdings?{query}"))
			yield from page.holdings
			if not page.next:
				return
			if page.next == after:
				raise NotHeld(f"page {after!r} leads to itself")
			after = page.next
		raise NotHeld(f"more than {MOST_PAGES} pages")

	def close(self) -> None:
		"""Close the connections."""
		for lane in self._lanes:
			lane.close()


class _Lane:
	"""One request at a time, on a connection that is kept."""

	def __init__(self, address: str, secret: bytes, times: tuple[float, float], total: float):
		self._address = address.rstrip("/")
		self._secret = secret
		self._times = times
		self._total = total
		self._deadline = _Deadline()
		self._session = requests.Session()
		self._session.trust_env = False
		self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
		for scheme in ("http://", "https://"):
			self._session.mount(scheme, _WatchedAdapter(self._deadline))

	def send(self, one: message.Message) -> Outcome:
		self._deadline.set(self._total)
		try:
			with self._ask("POST", "/orders", message.encode(one), one.order) as response:
				# The status decides; a body that cannot be read takes nothing back. Read to its end, the connection is kept.
				text = _text(response)
				return message.judge(response.status_code, one.action, text, _retry_after(response))
		except FAULTS as error:
			return Outcome(RETRY, _said(error), arrived=_may_have_arrived(error), platform=True)
		finally:
			self._deadline.lift()

	def get(self, path: str) -> bytes:
		"""The body of a page. Errors: NotHeld."""
		self._deadline.set(self._total)
		try:
			with self._ask("GET", path, b"", "") as response:
				if response.status_code != 200:
					raise NotHeld(f"HTTP {response.status_code} for {path}")
				body = response.raw.read(PAGE_BYTES + 1, decode_content=False)
		except FAULTS as error:
			raise NotHeld(_said(error)) from None
		finally:
			self._deadline.lift()
		if len(body) > PAGE_BYTES:
			raise NotHeld(f"more than {PAGE_BYTES} bytes in a page")
		return body

	def close(self) -> None:
		self._session.close()

	def _ask(self, method: str, path: str, body: bytes, key: str) -> requests.Response:
		url, now = self._address + path, int(time.time())
		parts = urlsplit(url)
		target = parts.path + (f"?{parts.query}" if parts.query else "")
		headers = {
			"Accept-Encoding": "identity",
			"User-Agent": "subscriber_tv",
			"X-TV-Time": str(now),
			"X-TV-Signature": message.sign(self._secret, method, target, now, body),
		}
		if key:
			headers |= {"Content-Type": "application/json", "Idempotency-Key": key}
		return self._session.request(
			method,
			url,
			data=body or None,
			headers=headers,
			timeout=self._times,
			stream=True,
			allow_redirects=False,
		)


def _text(response: requests.Response) -> str:
	"""What the platform says about a refusal, as plain printable text."""
	try:
		body = response.raw.read(ANSWER_BYTES, decode_content=False)
	except (HTTPError, OSError):
		return ""
	text = body.decode("utf-8", "replace")
	return "".join(char if char.isprintable() else " " for char in text[: message.LONGEST_TEXT]).strip()


def _retry_after(response: requests.Response) -> int:
	"""Seconds of Retry-After; 0 without one. Its form as a date is not used between machines."""
	value = response.headers.get("Retry-After", "")
	return int(value) if value.isascii() and value.isdigit() and len(value) < 9 else 0


def _may_have_arrived(error: Exception) -> bool:
	"""Only a connection that never stood carried surely nothing."""
	if isinstance(error, requests.ConnectTimeout):
		return False
	reason = getattr(error.args[0], "reason", None) if error.args else None
	return not isinstance(reason, NewConnectionError)


def _said(error: Exception) -> str:
	return f"{type(error).__name__}: {error}"[: message.LONGEST_TEXT]


class _Deadline:
	"""Cuts the connection of an exchange that takes too long as a whole: the time-outs of requests start anew at each byte."""

	def __init__(self):
		self._socket = None
		self._timer: threading.Timer | None = None

	def set(self, seconds: float) -> None:
		self.lift()
		self._timer = threading.Timer(seconds, self._cut)
		self._timer.daemon = True
		self._timer.start()

	def watch(self, found) -> None:
		self._socket = found

	def lift(self) -> None:
		if self._timer:
			self._timer.cancel()
		self._timer = self._socket = None

	def _cut(self) -> None:
		try:
			# The plain socket's: one of TLS would forget its session under the reader.
			socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
		except (TypeError, OSError):
			pass  # not connected yet, which has a time-out of its own, or gone already


class _WatchedAdapter(HTTPAdapter):
	"""Tells the deadline which socket answers. Tries nothing again: when to try again is decided elsewhere."""

	def __init__(self, deadline: _Deadline):
		self._deadline = deadline
		super().__init__(max_retries=0)

	def init_poolmanager(self, *args, **kwargs) -> None:
		super().init_poolmanager(*args, **kwargs)
		deadline = self._deadline

		def watched(base: type) -> type:
			class Connection(base):
				def getresponse(self):
					deadline.watch(self.sock)
					return super().getresponse()

			return Connection

		plain = type("Plain", (HTTPConnectionPool,), {"ConnectionCls": watched(HTTPConnection)})
		secure = type("Secure", (HTTPSConnectionPool,), {"ConnectionCls": watched(HTTPSConnection)})
		self.poolmanager.pool_classes_by_scheme = {"http": plain, "https": secure}
