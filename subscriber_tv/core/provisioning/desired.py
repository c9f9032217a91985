"""What a platform shall hold about a TV or an account: derived from rights, never from what happened before."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from subscriber_tv.core.activation.projection import WATCHING, ContractFacts, OfferFacts, window

DEVICE = "Device"
ACCOUNT = "Account"

ACTIVE = "Active"
_OPEN = WATCHING | {"Suspended"}
"""States in which an account exists. Nothing is suspended that was not active before."""

Codes = Mapping[str, tuple[str, ...]]
"""Entitlement codes by offer version."""


@dataclass(frozen=True)
class Desired:
	"""`held`: the platform shall know the subject, with exactly these entitlement codes (sorted, each once).

	A TV without a code is not held; an account may be held with none, while its subscription is suspended.
	"""

	held: bool
	codes: tuple[str, ...] = ()


NOTHING = Desired(False)


def account_id(subscription: str) -> str:
	"""The pseudonym under which a platform knows a subscription: 22 characters, the same for ever."""
	digest = hashlib.sha256(subscription.encode()).digest()
	return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()[:22]


def codes_of(offers: Iterable[OfferFacts]) -> dict[str, tuple[str, ...]]:
	"""Codes of each offer's bouquets; a bouquet without one is not known to any platform."""
	return {
		offer.name: tuple(sorted({bouquet.entitlement for bouquet in offer.bouquets if bouquet.entitlement}))
		for offer in offers
	}


def of_tv(state: str, removed: bool, offers: Iterable[str], codes: Codes) -> Desired:
	"""What a platform shall hold about a TV whose projection row says this."""
	if removed or state != ACTIVE:
		return NOTHING
	found = _together(offers, codes)
	return Desired(bool(found), found)


def of_account(contract: ContractFacts, codes: Codes, now: int) -> tuple[Desired, int]:
	"""What a platform shall hold about a subscription's account at `now`, and when that changes by itself (0: never).

	The account is opened with the activation, keeps no entitlement while the contract is suspended, and is closed when it
	is over. Times are epoch seconds UTC; a contract day begins at midnight at its site.
	"""
	zone = ZoneInfo(contract.time_zone)
	edges = {_midnight(day, zone) for day in _days(contract)}
	again = min((edge for edge in edges if edge > now), default=0)
	begun = [span for span in contract.spans if _midnight(span.start, zone) <= now]
	if not begun or begun[-1].state not in _OPEN:
		return NOTHING, again
	offers: list[str] = []
	for line in contract.lines:
		found = None if line.option_of else window(contract, line.line_id, now)
		if found and found.start <= now:
			offers.extend(found.offers)
	return Desired(True, _together(offers, codes)), again


def _together(offers: Iterable[str], codes: Codes) -> tuple[str, ...]:
	return tuple(sorted({code for offer in offers for code in codes.get(offer, ())}))


def _days(contract: ContractFacts) -> set[date]:
	periods = (*contract.spans, *contract.lines)
	return {day for period in periods for day in (period.start, period.end) if day}


def _midnight(day: date, zone: ZoneInfo) -> int:
	return int(datetime.combine(day, time(), tzinfo=zone).timestamp())
