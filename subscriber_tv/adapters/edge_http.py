"""Asks an edge, at the address of those who run it, what it holds. Questions are signed with the secret of the feed."""

from __future__ import annotations

import time

import msgspec
import requests

from subscriber_tv.core.activation import compare, feed

# Reading all rows of the largest operator takes an edge seconds.
_SECONDS = (5, 120)


class EdgeUnreachable(Exception):
	"""The edge did not answer, or not as it should; the message says what came instead."""


class EdgeClient:
	"""One edge; `url` is that of its metrics, without path."""

	def __init__(self, url: str, secret: bytes):
		self._url = url.rstrip("/")
		self._secret = secret

	def slices(self, slices: int) -> compare.Slices:
		"""Count and sum of every slice."""
		return self._ask(compare.SLICES_PATH, compare.Question(slices), compare.Slices)

	def rows(self, slices: int, of: tuple[int, ...]) -> compare.Rows:
		"""The TVs of some slices."""
		return self._ask(compare.ROWS_PATH, compare.Question(slices, of), compare.Rows)

	def _ask(self, path, question, kind):
		body = msgspec.json.encode(question)
		signed = feed.authorization(self._secret, path, int(time.time()), method="POST", body=body)
		headers = {"Authorization": signed, "Content-Type": "application/json"}
		try:
			answer = requests.post(
				self._url + path, data=body, headers=headers, timeout=_SECONDS, allow_redirects=False
			)
			if answer.status_code != 200:
				raise EdgeUnreachable(f"HTTP {answer.status_code}")
			return msgspec.json.decode(answer.content, type=kind)
		except (requests.RequestException, msgspec.MsgspecError) as error:
			raise EdgeUnreachable(str(error)) from None
