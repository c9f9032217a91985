"""The feed from the publisher to the edges: numbered rows in signed pages, one format for snapshot and deltas.

A page says which numbers it covers, (from, to], and when it was true. Its signature stands in the header
`X-TV-Signature` and covers the body's hash; the pages themselves travel as plain JSON. Each row appears with its
latest number only, and a removed row leaves a tombstone, so reading from 0 always gives the whole.

	GET /feed/snapshot?after=N     pages of everything, in order of numbers; the last one says `last`
	GET /feed/deltas?after=N&wait=S    what came after N; waits up to S seconds when there is nothing
	                                   409 when N is not a number of this publisher: take a snapshot

An edge adds `&edge=I&as_of=T` to its question for deltas: who it is and how old its file is (see report.py, which is
also the way back).
"""

from __future__ import annotations

import hashlib
import hmac
from itertools import pairwise
from typing import Literal

import msgspec

from subscriber_tv.core.activation.decide import Row
from subscriber_tv.core.devices import jws

DEVICE = "Device"
OFFER = "Offer"
SNAPSHOT = "snapshot"
DELTA = "delta"

SNAPSHOT_PATH = "/feed/snapshot"
DELTAS_PATH = "/feed/deltas"
SIGNATURE_HEADER = "X-TV-Signature"
# Rows in one page: about 3 MB, read and applied in a tenth of a second.
PAGE_ROWS = 5000
# Seconds by which the clocks of an edge and its publisher may differ.
CLOCK_SKEW = 120


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
	"""One row of the projection as an edge holds it: no name, no address, no subscription. Times are epoch seconds UTC.

	A TV's row travels as `packed` (core.activation.compact), which is all that an edge keeps of it; beside that it then
	says kind, subject and number only.
	"""

	kind: Literal["Device", "Offer"]
	subject: str
	seq: int = 0
	version: int = 0
	removed: bool = False
	state: str = ""
	key_hash: str = ""
	rights_from: int = 0
	rights_until: int = 0
	offers: tuple[str, ...] = ()
	play_seconds: int = 0
	lease: str = ""
	expires_at: int = 0
	denial: str = ""
	document: str = ""
	document_hash: str = ""
	key: str = ""
	fp: str = ""
	account: str = ""
	streams: int = 0
	lock: int = 0
	pin: str = ""
	packed: bytes = b""

	def numbered(self, seq: int) -> Entry:
		"""The same row under its number."""
		return msgspec.structs.replace(self, seq=seq)

	def row(self) -> Row:
		"""The row as the decision reads it."""
		return Row(
			serial=self.subject,
			key_hash=self.key_hash,
			state=self.state,
			rights_from=self.rights_from,
			rights_until=self.rights_until,
			lease=self.lease,
			lease_expires=self.expires_at,
			denial=self.denial,
			offers=self.offers,
			play_seconds=self.play_seconds,
			version=self.version,
			key=self.key,
			fp=self.fp,
			account=self.account,
			streams=self.streams,
			lock=self.lock,
			pin=self.pin,
		)


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"after": "from", "upto": "to"}):
	"""The rows numbered in (after, upto], all that there are. `last` ends a snapshot; a delta is always complete."""

	kind: Literal["snapshot", "delta"]
	after: int
	upto: int
	as_of: int
	last: bool
	rows: tuple[Entry, ...]


class Seal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"after": "from", "upto": "to"}):
	"""What the signature of a page says."""

	after: int
	upto: int
	as_of: int
	sha256: str


class BadPage(Exception):
	"""The page is not signed by the publisher, or contradicts itself."""


_page = msgspec.json.Decoder(Page)
_seal = msgspec.json.Decoder(Seal)


def encode_page(page: Page, signer: jws.Signer) -> tuple[bytes, str]:
	"""The page's body and the value of its signature header."""
	body = msgspec.json.encode(page)
	seal = Seal(page.after, page.upto, page.as_of, hashlib.sha256(body).hexdigest())
	return body, signer.sign(jws.FEED, msgspec.json.encode(seal))


def decode_page(body: bytes, signature: str, verifier: jws.Verifier) -> Page:
	"""The page in `body`, if the publisher signed exactly these bytes and its rows are in order; else BadPage."""
	try:
		seal = _seal.decode(verifier.verify(jws.FEED, signature))
		if not hmac.compare_digest(seal.sha256, hashlib.sha256(body).hexdigest()):
			raise BadPage("the body is not the one that was signed")
		page = _page.decode(body)
	except jws.BadSignature:
		raise BadPage("the signature is not the publisher's") from None
	except (msgspec.MsgspecError, ValueError) as error:
		raise BadPage(f"not a page: {error}") from None
	if (seal.after, seal.upto, seal.as_of) != (page.after, page.upto, page.as_of):
		raise BadPage("the signature is of another page")
	numbers = [page.after, *(row.seq for row in page.rows)]
	if numbers[-1] > page.upto or any(a >= b for a, b in pairwise(numbers)):
		raise BadPage("the rows are out of order")
	return page


def authorization(secret: bytes, target: str, now: int, *, method: str = "GET", body: bytes = b"") -> str:
	"""The Authorization header of an edge's request for `target` (path and query) at `now` (epoch seconds).

	It covers method, target and time, and of anything but a GET the body too.
	"""
	return f"TV-Feed {now}:{_mac(secret, method, target, body, now)}"


def authorized(
	header: str | None, secret: bytes, target: str, now: int, *, method: str = "GET", body: bytes = b""
) -> bool:
	"""Whether the header was made for just this request with this secret, at most two minutes ago."""
	scheme, _, value = (header or "").partition(" ")
	moment, _, mac = value.partition(":")
	if scheme != "TV-Feed" or not moment.isascii() or not moment.isdigit() or len(moment) > 12:
		return False
	expected = _mac(secret, method, target, body, int(moment))
	return hmac.compare_digest(expected.encode(), mac.encode()) and abs(now - int(moment)) <= CLOCK_SKEW


def _mac(secret: bytes, method: str, target: str, body: bytes, now: int) -> str:
	signed = f"{method}\n{target}\n{now}"
	if method != "GET":
		signed += f"\n{hashlib.sha256(body).hexdigest()}"
	return jws.b64url(hmac.digest(secret, signed.encode(), "sha256"))
