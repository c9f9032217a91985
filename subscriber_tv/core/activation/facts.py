"""What rights follow from: contracts, offers and bound TVs, from the database or from the demo's files alike."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Span:
	"""A subscription was, is or will be in `state` during [start, end); end None means until further notice."""

	state: str
	start: date
	end: date | None = None


@dataclass(frozen=True)
class LineSpan:
	"""A line of a subscription gives the right to an offer version during [start, end); None is open.

	An option gives it to the TVs of the line it widens, `option_of`.
	"""

	line_id: str
	offer_version: str
	start: date | None = None
	end: date | None = None
	option_of: str = ""


@dataclass(frozen=True)
class ContractFacts:
	"""A subscription's states and lines in order of time. `time_zone` is its site's IANA name."""

	subscription: str
	time_zone: str
	spans: tuple[Span, ...]
	lines: tuple[LineSpan, ...]


@dataclass(frozen=True)
class DeviceFacts:
	"""A bound TV; a TV without key or subscription has no rights and should be given as `removed`.

	`quarantined`: it is taken for one of several with the same keys and gets nothing but a denial that says so.
	`restricted`: under the same suspicion it keeps its line and loses the options that widen it.
	"""

	serial: str
	key_hash: str
	subscription: str
	line_id: str
	quarantined: bool = False
	restricted: bool = False
	# Its public key, "" for one without a key store; and what it must say of its parts, "" when that binds nothing.
	key: str = ""
	fp: str = ""
	# Its parental lock, and the verifier of the PIN that opens it: see parental.py.
	lock: int = 0
	pin: str = ""


@dataclass(frozen=True)
class ChannelFacts:
	"""A channel as the TV shows it. `number` is its place on the remote control (LCN)."""

	code: str
	name: str
	number: int
	definition: str = ""
	genre: str = ""
	language: str = ""
	entitlement: str = ""
	# Not for viewers below this age; 0 is for everybody.
	age: int = 0


@dataclass(frozen=True)
class BouquetFacts:
	"""A pack of channels."""

	code: str
	name: str
	entitlement: str
	channels: tuple[ChannelFacts, ...]


@dataclass(frozen=True)
class OfferFacts:
	"""An offer version: its bouquets and how long a TV may play before it must ask again (seconds).

	`streams`: how many streams it lets a subscription run at once; 0 says nothing about it.
	"""

	name: str
	title: str
	bouquets: tuple[BouquetFacts, ...]
	play_seconds: int
	streams: int = 0


@dataclass(frozen=True)
class Facts:
	"""Everything `compile` needs for the subjects at hand. `removed`: serials that lost their row."""

	devices: tuple[DeviceFacts, ...] = ()
	contracts: tuple[ContractFacts, ...] = ()
	offers: tuple[OfferFacts, ...] = ()
	removed: tuple[str, ...] = ()
