"""The feed server: signed pages of the projection for the edges, and the way back for the answers they counted.
Served by the publisher, not by the desk.

	GET /feed/snapshot?after=N          GET /feed/deltas?after=N&wait=S          GET /feed/health
	POST /feed/answers

All but health need the Authorization header that `core.activation.feed` describes; pages are signed besides, so
an edge trusts no proxy in between. Health says only whether the publisher keeps up.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable
from urllib.parse import parse_qs

import frappe

from subscriber_tv.core.activation import feed, report, telemetry
from subscriber_tv.core.devices import wire
from subscriber_tv.flows.activation import keys, note_edge, publish, store_rights, take_answers
from subscriber_tv.flows.activation.sweep import Horizon
from subscriber_tv.flows.settings import phase_on
from subscriber_tv.flows.support import take_telemetry

log = logging.getLogger("subscriber_tv.publisher")

HEALTH_PATH = "/feed/health"
LONGEST_WAIT = 30
LATE = 60
"""Seconds without a complete sweep after which health says so."""

UNAUTHORISED = wire.refusal(401, "unauthorised", "The feed needs the secret of this publisher.")
UNKNOWN_NUMBER = wire.refusal(
	409, "unknown_number", "This publisher has not given that number. Take a snapshot."
)
TOO_LARGE = wire.refusal(413, "too_large", f"A batch has at most {report.MAX_BYTES} bytes.")


class FeedApp:
	"""A WSGI application over one site. Each request connects for itself and holds no connection while it waits."""

	def __init__(self, site: str, sites_path: str, horizon: Horizon):
		self._site = site
		self._sites_path = sites_path
		self._horizon = horizon

	def __call__(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
		try:
			answer = self._answer(environ)
		except Exception:
			log.exception("feed request failed")
			answer = wire.UNAVAILABLE
		headers = [*answer.headers, ("Content-Length", str(len(answer.body)))]
		start_response(f"{answer.status} {_PHRASES.get(answer.status, 'Error')}", headers)
		return [answer.body]

	def _answer(self, environ: dict) -> wire.Answer:
		path = environ.get("PATH_INFO", "")
		method = "POST" if path in _TAKEN else "GET"
		if environ["REQUEST_METHOD"] != method:
			return wire.METHOD_NOT_ALLOWED.plus(("Allow", method))
		if path == HEALTH_PATH:
			return self._health()
		if path in _TAKEN:
			return self._take(environ)
		if path in (feed.SNAPSHOT_PATH, feed.DELTAS_PATH):
			return self._give(path, environ)
		return wire.NOT_FOUND

	def _take(self, environ: dict) -> wire.Answer:
		length = environ.get("CONTENT_LENGTH") or ""
		if not (length.isascii() and length.isdigit()):
			return wire.INVALID_REQUEST
		if int(length[:12]) > report.MAX_BYTES:
			return TOO_LARGE
		body = environ["wsgi.input"].read(int(length))
		return self._on_site(lambda: _TAKEN[environ["PATH_INFO"]](environ, body))

	def _give(self, path: str, environ: dict) -> wire.Answer:
		query = environ.get("QUERY_STRING", "")
		if not self._on_site(lambda: _authorised(environ)):
			return UNAUTHORISED
		try:
			after, wait = _number(query, "after"), min(_number(query, "wait"), LONGEST_WAIT)
			as_of = _number(query, "as_of")
		except ValueError:
			return wire.INVALID_REQUEST
		if edge := _text(query, "edge"):
			self._on_site(lambda: _note(edge, after, as_of))
		if not self._horizon.as_of():
			return wire.UNAVAILABLE  # the first sweep is still under way
		if path == feed.SNAPSHOT_PATH:
			return self._on_site(lambda: self._page(feed.SNAPSHOT, after))
		self._horizon.wait_beyond(after, wait)
		return self._on_site(lambda: self._page(feed.DELTA, after))

	def _page(self, kind: str, after: int) -> wire.Answer:
		# The moment is read before the rows: what it promises is then surely among them.
		as_of, current = self._horizon.as_of(), publish.current_sequence()
		if after > current:
			return UNKNOWN_NUMBER
		rows = tuple(store_rights.entries_after(after, current, feed.PAGE_ROWS))
		last = len(rows) < feed.PAGE_ROWS
		upto = current if last else rows[-1].seq
		page = feed.Page(kind=kind, after=after, upto=upto, as_of=as_of, last=last, rows=rows)
		body, signature = feed.encode_page(page, keys.lease_signer())
		return wire.Answer(200, body).plus((feed.SIGNATURE_HEADER, signature))

	def _health(self) -> wire.Answer:
		age = int(time.time()) - self._horizon.as_of()
		keeps_up = age <= LATE
		body = {"status": "ok" if keeps_up else "late", "as_of": self._horizon.as_of()}
		return wire.Answer(200 if keeps_up else 503, json.dumps(body).encode())

	def _on_site(self, ask: Callable):
		frappe.init(site=self._site, sites_path=self._sites_path, force=True)
		try:
			frappe.connect()
			return ask()
		finally:
			frappe.destroy()


_PHRASES = {
	200: "OK",
	400: "Bad Request",
	401: "Unauthorized",
	404: "Not Found",
	405: "Method Not Allowed",
	409: "Conflict",
	413: "Payload Too Large",
	503: "Service Unavailable",
}


def _authorised(environ: dict, body: bytes = b"") -> bool:
	path, query = environ["PATH_INFO"], environ.get("QUERY_STRING", "")
	return feed.authorized(
		environ.get("HTTP_AUTHORIZATION"),
		keys.feed_secret(),
		f"{path}?{query}" if query else path,
		int(time.time()),
		method=environ["REQUEST_METHOD"],
		body=body,
	)


def _count(environ: dict, body: bytes) -> wire.Answer:
	if not _authorised(environ, body):
		return UNAUTHORISED
	if not phase_on("activation"):
		return wire.UNAVAILABLE
	try:
		batch = report.decode(body)
	except report.BadReport as error:
		log.error("not a batch of answers: %s", error)
		return wire.INVALID_REQUEST
	is_new = take_answers.take_answers(batch, now=int(time.time()))
	# This server is its own request handler; what fails before leaves nothing behind.
	frappe.db.commit()  # nosemgrep
	return wire.Answer(200, json.dumps({"batch": batch.number, "counted": is_new}).encode())


def _hear(environ: dict, body: bytes) -> wire.Answer:
	if not _authorised(environ, body):
		return UNAUTHORISED
	if not phase_on("activation"):
		return wire.UNAVAILABLE
	try:
		batch = telemetry.decode(body)
	except report.BadReport as error:
		log.error("not telemetry: %s", error)
		return wire.INVALID_REQUEST
	take_telemetry.take_telemetry(batch, now=int(time.time()))
	# As above: this server is its own request handler.
	frappe.db.commit()  # nosemgrep
	return wire.Answer(200, b"{}")


_TAKEN = {report.ANSWERS_PATH: _count, telemetry.TELEMETRY_PATH: _hear}


def _note(edge: str, seq: int, as_of: int) -> None:
	"""Note who asks. Nothing that goes wrong here may keep the edge from its news."""
	try:
		if note_edge.note_edge(edge, seq=seq, as_of=as_of, now=int(time.time())):
			# The question goes on waiting, without a connection.
			frappe.db.commit()  # nosemgrep
	except report.BadReport:
		log.warning("an edge gives no valid name")
	except Exception:
		log.exception("an edge could not be noted")


def _text(query: str, name: str) -> str:
	return parse_qs(query).get(name, [""])[-1]


def _number(query: str, name: str) -> int:
	"""A number of the query, 0 when it is not given; ValueError for anything but up to 15 digits."""
	value = parse_qs(query).get(name, ["0"])[-1]
	if not (value.isascii() and value.isdigit()) or len(value) > 15:
		raise ValueError(name)
	return int(value)
