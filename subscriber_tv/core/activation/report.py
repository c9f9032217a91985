"""What an edge tells its publisher: how it answered TVs, rolled up, in numbered batches.

	POST /feed/answers      body: one Batch, as JSON; 200 when it is counted, also when it was counted before
	                        400 or 413: never going to be taken, forget it; anything else: send it again

A batch keeps its number until it is acknowledged, and the publisher remembers the last one of each edge: however
often it is sent, it counts once. Rows carry facts and no keys; the publisher composes those itself.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from subscriber_tv.core.activation import rollup

ANSWERS_PATH = "/feed/answers"
BATCH_ROWS = 2000
# A batch of 2000 rows is about 400 kB.
MAX_BYTES = 1024 * 1024
LARGEST = 2**31 - 1

NAME = r"\A[A-Za-z0-9._-]{1,40}\Z"
# Two edges may bear one name, or one may lose its disk: their batches are told apart by the file they come from.
_IDENTITY = r"\A[A-Za-z0-9._-]{1,40}-[0-9a-f]{12}\Z"

Identity = Annotated[str, msgspec.Meta(pattern=_IDENTITY)]
Moment = Annotated[int, msgspec.Meta(ge=0, le=2**33)]


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
	"""So many answers of one kind, the first and the last of them at these epoch seconds (UTC)."""

	kind: Literal["Allowed", "Refused", "Stranger"]
	count: Annotated[int, msgspec.Meta(ge=1, le=LARGEST)]
	first: Moment
	last: Moment
	code: Annotated[str, msgspec.Meta(pattern=r"\A[a-z_]{0,40}\Z")] = ""
	serial: Annotated[str, msgspec.Meta(pattern=r"\A[A-Z0-9-]{0,32}\Z")] = ""
	network: Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9.:/]{0,50}\Z")] = ""
	version: Annotated[int, msgspec.Meta(ge=0, le=LARGEST)] = 0

	def tally(self, audience: str, now: int) -> rollup.Tally:
		"""The row with its bucket; what a fast clock dates after `now` is dated `now`."""
		first = min(self.first, now)
		bucket = rollup.named(
			self.kind,
			when=first,
			code=self.code,
			serial=self.serial,
			audience=audience,
			network=self.network,
			version=self.version,
		)
		return rollup.Tally(bucket, self.count, first, max(first, min(self.last, now)))


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
	"""The rows that one edge sends at once, under a number that only grows."""

	edge: Identity
	number: Annotated[int, msgspec.Meta(ge=1, le=LARGEST)]
	rows: Annotated[tuple[Row, ...], msgspec.Meta(max_length=BATCH_ROWS)]


class BadReport(Exception):
	"""These bytes are no batch, or this is no edge's identity."""


_batch = msgspec.json.Decoder(Batch, strict=True)


def encode(batch: Batch) -> bytes:
	"""The batch as the body of a request."""
	return msgspec.json.encode(batch)


def decode(body: bytes) -> Batch:
	"""The batch in `body`, every field within its bounds; else BadReport."""
	try:
		return _batch.decode(body)
	except (msgspec.MsgspecError, ValueError) as error:
		raise BadReport(str(error)) from None


def identity(name: str, file: str) -> str:
	"""How an edge of this name with this file (12 hexadecimal digits) calls itself towards its publisher."""
	return f"{name}-{file}"


def name_in(edge: str) -> str:
	"""The edge's name in its identity; BadReport when it is none."""
	try:
		return msgspec.convert(edge, Identity).rpartition("-")[0]
	except msgspec.ValidationError as error:
		raise BadReport(str(error)) from None
