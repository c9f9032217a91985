"""From a request's bytes to an answer's bytes. Desk and edge supply only the look-ups, so they cannot differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from subscriber_tv.core.activation import pairing
from subscriber_tv.core.activation.decide import (
	ALLOW,
	DENY,
	STRANGER,
	Decision,
	Row,
	decide,
)
from subscriber_tv.core.devices import wire

Lookup = Callable[[str], "Row | None"]
# Offer version names -> the hashes of their current signed documents; unknown names are left out.
Documents = Callable[[Sequence[str]], Sequence[str]]

INVALID = Decision(STRANGER, "invalid_request")


@dataclass(frozen=True)
class Answered:
	"""The answer, and what it says for our own records."""

	answer: wire.Answer
	decision: Decision


def power_on(body: bytes, lookup: Lookup, documents: Documents, now: int) -> Answered:
	"""Answer a power-on. Look-ups may raise; everything that comes from the TV is answered."""
	try:
		request = wire.parse_power_on(body)
	except wire.InvalidRequest:
		return Answered(wire.INVALID_REQUEST, INVALID)
	decision = decide(lookup(request.serial), request.credential, now)
	return Answered(_spell(decision, request, documents, now), decision)


def _spell(decision: Decision, request: wire.PowerOn, documents: Documents, now: int) -> wire.Answer:
	row = decision.row
	if row and decision.kind == ALLOW:
		allowed = wire.Allowed(
			decision="allow",
			lease=row.lease,
			documents=tuple(documents(row.offers)),
			time=now,
			play_until=decision.play_until,
			ask_after=decision.ask_after,
			n=request.n,
		)
		return wire.encode(allowed)
	if row and decision.kind == DENY:
		denied = wire.Denied(
			decision="deny",
			code=decision.code,
			text=wire.DENIAL_TEXTS[decision.code],
			denial=row.denial,
			time=now,
			ask_after=decision.ask_after,
			n=request.n,
		)
		return wire.encode_denied(denied)
	return wire.STRANGER if decision.kind == STRANGER else wire.UNAVAILABLE


def enrolled(*, code: str, verification_uri: str, expires_in: int) -> wire.Answer:
	"""The answer to an enrolment that got a pairing code. Everybody else gets `wire.STRANGER`."""
	return wire.encode(wire.Enrolled(code, verification_uri, expires_in, pairing.INTERVAL))
