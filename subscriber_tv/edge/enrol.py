"""Pairing at an edge changes the books, so the ERP answers enrol and token, and the edge only carries the question."""

from __future__ import annotations

import asyncio
import http.client
from urllib.parse import urlsplit

from subscriber_tv.core.devices import requests, wire
from subscriber_tv.edge.config import Config

PATH = "/api/method/subscriber_tv.api.activation."
# What is carried, and what a question must look like to be worth it.
CARRIED = {"enrol": requests.enrol, "token": requests.token}
# What the ERP may say to a TV; anything else is a fault of ours and becomes 503.
_RELAYED = frozenset({200, 400, 401, 403, 409, 429, 503})
_MAX_ANSWER = 16_384
# Questions under way at once in one worker: new TVs must never cost the ERP its workers.
_AT_ONCE = 8


class Forwarder:
	"""Carries questions to the ERP, a few at a time, each within a time limit."""

	def __init__(self, config: Config):
		self._url = urlsplit(config.erp_url)
		self._site = config.erp_site
		self._timeout = config.erp_timeout
		self._under_way = 0

	async def carry(self, operation: str, body: bytes, address: str) -> wire.Answer:
		"""The ERP's answer; 400 for what is no such question, 503 when the ERP is down, slow or busy."""
		try:
			CARRIED[operation](body)
		except wire.InvalidRequest:
			return wire.INVALID_REQUEST
		if not self._url.netloc or self._under_way >= _AT_ONCE:
			return wire.UNAVAILABLE
		self._under_way += 1
		try:
			call = asyncio.to_thread(self._post, PATH + operation, body, address)
			return await asyncio.wait_for(call, self._timeout + 1)
		except (OSError, http.client.HTTPException, asyncio.TimeoutError):
			return wire.UNAVAILABLE
		finally:
			self._under_way -= 1

	def _post(self, path: str, body: bytes, address: str) -> wire.Answer:
		secure = self._url.scheme == "https"
		kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
		connection = kind(self._url.netloc, timeout=self._timeout)
		headers = {"Content-Type": "application/json", "X-Forwarded-For": address}
		if self._site:
			headers["X-Frappe-Site-Name"] = self._site
		try:
			connection.request("POST", self._url.path.rstrip("/") + path, body, headers)
			response = connection.getresponse()
			answer = response.read(_MAX_ANSWER)
		finally:
			connection.close()
		is_json = response.getheader("Content-Type", "").startswith("application/json")
		if response.status == 503 or response.status not in _RELAYED or not is_json:
			return wire.UNAVAILABLE
		return wire.Answer(response.status, answer)
