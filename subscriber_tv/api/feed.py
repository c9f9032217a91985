"""The feed server: signed pages of the projection for the edges. Served by the publisher, not by the desk.

	GET /feed/snapshot?after=N          GET /feed/deltas?after=N&wait=S          GET /feed/health

The first two need the Authorization header that `core.activation.feed` describes; pages are signed besides, so
an edge trusts no proxy in between. Health says only whether the publisher keeps up.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable
from urllib.parse import parse_qs

import frappe

from subscriber_tv.core.activation import feed
from subscriber_tv.core.devices import wire
from subscriber_tv.flows.activation import keys, publish, store_rights
from subscriber_tv.flows.activation.sweep import Horizon

log = logging.getLogger("subscriber_tv.publisher")

HEALTH_PATH = "/feed/health"
LONGEST_WAIT = 30
LATE = 60
"""Seconds without a complete sweep after which health says so."""

UNAUTHORISED = wire.refusal(401, "unauthorised", "The feed needs the secret of this publisher.")
UNKNOWN_NUMBER = wire.refusal(
	409, "unknown_number", "This publisher has not given that number. Take a snapshot."
)


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
		path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
		if environ["REQUEST_METHOD"] != "GET":
			return wire.METHOD_NOT_ALLOWED
		if path == HEALTH_PATH:
			return self._health()
		if path not in (feed.SNAPSHOT_PATH, feed.DELTAS_PATH):
			return wire.NOT_FOUND
		target = f"{path}?{query}" if query else path
		if not self._on_site(lambda: _authorised(environ.get("HTTP_AUTHORIZATION"), target)):
			return UNAUTHORISED
		try:
			after, wait = _number(query, "after"), min(_number(query, "wait"), LONGEST_WAIT)
		except ValueError:
			return wire.INVALID_REQUEST
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
	503: "Service Unavailable",
}


def _authorised(header: str | None, target: str) -> bool:
	return feed.authorized(header, keys.feed_secret(), target, int(time.time()))


def _number(query: str, name: str) -> int:
	"""A number of the query, 0 when it is not given; ValueError for anything but up to 15 digits."""
	value = parse_qs(query).get(name, ["0"])[-1]
	if not (value.isascii() and value.isdigit()) or len(value) > 15:
		raise ValueError(name)
	return int(value)
