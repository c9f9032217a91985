"""A usage record as its source sends it, before anybody has looked at the contract it belongs to.

A source names each of its records by a key of its own: the same key is the same event for ever, however often and in
whatever file it comes. `version` and `cancelled` are how a source takes back what it said before.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from subscriber_tv.core.money import EXACT, plain

#: Quantities have at most so many decimals, as the database column does, and stay below the limit.
PLACES = 9
QUANTITY_LIMIT = Decimal(10) ** 9
MAX_KEY = 140
MAX_TEXT = 140


@dataclass(frozen=True)
class Record:
	"""One event or counter reading: `quantity` in the unit of the charge.

	It names a TV by its `serial`, or a subscription by its number here or elsewhere, with a line where there are
	several. `at` is the moment, aware of its time zone, or naive in the time of the site; `day` is the contract's day
	when no time is known. A cancelled record may come with its key alone.
	"""

	key: str
	version: int = 1
	cancelled: bool = False
	serial: str = ""
	subscription: str = ""
	line: str = ""
	charge: str = ""
	quantity: Decimal | None = None
	at: datetime | None = None
	day: date | None = None

	@property
	def fingerprint(self) -> str:
		"""One text for one content, whatever file or spelling it came in. Key, version and cancellation are not content."""
		when = self.at.isoformat() if self.at else self.day.isoformat() if self.day else ""
		quantity = "" if self.quantity is None else plain(self.quantity)
		return digest("record", self.serial, self.subscription, self.line, self.charge, quantity, when)


def name_of(source: str, key: str) -> str:
	"""The name under which a source's record is kept: two who insert it at once meet in the primary key."""
	return digest("key", source, key)


def name_of_side(source: str, key: str, version: int, fingerprint: str, cancelled: bool) -> str:
	"""The name of what came under a key and does not count: an older version, or one that contradicts."""
	return digest("side", source, key, str(version), fingerprint, str(int(cancelled)))


def unreadable_key(source: str, raw: str) -> str:
	"""Stands for the key of an input that has none: the same input again is the same record."""
	return "?" + digest("raw", source, raw)[:16]


def digest(*parts: str) -> str:
	"""32 characters; each part keeps its own length, so that no two lists of parts read alike."""
	text = "".join(f"{len(part)}:{part}" for part in parts)
	return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def rounded(quantity: Decimal) -> Decimal:
	"""A quantity as the database keeps it: half-up to nine decimals."""
	return quantity.quantize(Decimal(1).scaleb(-PLACES), rounding=ROUND_HALF_UP, context=EXACT)
