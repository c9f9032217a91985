"""What stands around the endpoints of TVs: the frame of a request, and what a TV is told where Frappe would speak itself.

Frappe reads a body, looks up a method and renders an error before any of our code runs; what it would say (a stack, a page)
is replaced by the wire format's own refusal, by the `after_request` hook `replace_answer`.
"""

import json

import frappe
from werkzeug.wrappers import Response

from subscriber_tv.api import guards
from subscriber_tv.core.devices import wire

PREFIX = "subscriber_tv.api.activation."
POSTED = ("auth", "assert", "challenge", "heartbeat", "stream", "enrol", "token")
READ = ("hello", "offer", "jwks")
TV_PATHS = tuple(f"/method/{PREFIX}{name}" for name in POSTED)
READ_PATHS = tuple(f"/method/{PREFIX}{name}" for name in READ)
# What Frappe says of a method that is none, and of a body that it cannot read.
_NOTHING_THERE = (404, 417, 500)


def response_of(answer: wire.Answer) -> Response:
	"""The answer as Frappe sends it, byte for byte."""
	response = Response(answer.body, status=answer.status, headers=list(answer.all_headers()))
	response.is_wire = True
	return response


def frame_refusal(request) -> wire.Answer | None:
	"""The refusal that the frame of a request already deserves, or None."""
	headers = request.headers
	if headers.get("Transfer-Encoding"):
		return wire.INVALID_REQUEST
	return wire.check_content(
		headers.get("Content-Type"), headers.get("Content-Encoding"), len(request.get_data())
	)


def replace_answer(response: Response | None, request) -> None:
	"""Hook `after_request`: on a TV's path, turn whatever is not ours into a refusal of the wire format."""
	if response is None or getattr(response, "is_wire", False):
		return
	if request.method == "OPTIONS" and response.status_code < 400:
		return
	if answer := _instead(response.status_code, request):
		response.status_code = answer.status
		response.set_data(answer.body)
		response.headers.clear()
		response.headers.extend(answer.headers)


class Unreadable:
	"""Hook `page_renderer`: stands in for the error page of a TV's path, which Frappe cannot render without a session.

	`replace_answer` gives it its words.
	"""

	def __init__(self, path: str, http_status_code: int | None = None):
		self._path = path
		self._status = http_status_code

	def can_render(self) -> bool:
		"""Whether a TV's request failed before Frappe knew who asks."""
		request = getattr(frappe.local, "request", None)
		return bool(request) and self._path == "message" and f"/{PREFIX}" in request.path

	def render(self) -> Response:
		"""A response without words."""
		return Response(status=self._status or 500)


def _instead(status: int, request) -> wire.Answer | None:
	"""What to say in place of Frappe; None where its own words are in place."""
	path = request.path.rstrip("/")
	if path.endswith(TV_PATHS):
		return _instead_of_posted(status, request)
	if path.endswith(READ_PATHS):
		return _instead_of_read(status, request)
	is_guest = (frappe.session.user or "Guest") == "Guest"
	return wire.NOT_FOUND if is_guest and status in _NOTHING_THERE and f"/{PREFIX}" in path else None


def _instead_of_posted(status: int, request) -> wire.Answer:
	if request.method != "POST":
		return wire.METHOD_NOT_ALLOWED.plus(("Allow", "POST"))
	if refused := frame_refusal(request):
		return refused
	if status >= 500 and not _unreadable(request):
		return wire.UNAVAILABLE
	allowed = guards.spend("failures", guards.bucket_of(guards.request_network()))
	return wire.INVALID_REQUEST if allowed and status != wire.RATE_LIMITED.status else wire.RATE_LIMITED


def _instead_of_read(status: int, request) -> wire.Answer:
	if request.method not in ("GET", "HEAD"):
		return wire.METHOD_NOT_ALLOWED.plus(("Allow", "GET, HEAD"))
	return wire.UNAVAILABLE if status >= 500 and not request.get_data() else wire.INVALID_REQUEST


def _unreadable(request) -> bool:
	"""Whether Frappe failed because the body is no JSON object: it reads bodies before any of our code runs."""
	try:
		return not isinstance(json.loads(request.get_data(as_text=True)), dict)
	except (ValueError, RecursionError):
		return True
