"""From a request's bytes to an answer's bytes, for what a TV asks daily. Desk and edge supply a node and cannot differ.

The order is that of cost: shape, row, MAC, count, rights, binding. Whoever fails before the count hears the one
constant answer of strangers; whoever passes gets a reply under a MAC of its own key.
"""

from __future__ import annotations

from msgspec import UNSET

from subscriber_tv.core.activation import counter, parental
from subscriber_tv.core.activation.decide import (
	ALLOW,
	CONFLICT,
	DENY,
	STRANGER,
	UNAVAILABLE,
	Decision,
	Row,
	judge,
	mismatch,
)
from subscriber_tv.core.activation.node import Answered, Node
from subscriber_tv.core.devices import challenge, mac, requests, wire
from subscriber_tv.core.devices.wire import InvalidRequest

INVALID = Answered(wire.INVALID_REQUEST, Decision(STRANGER, "invalid_request"))
# Seconds by which a TV's clock may be wrong before it is told so.
CLOCK = 300
ROTATE = "rotate"
SET_CLOCK = "clock"


def auth(body: bytes, node: Node, now: int) -> Answered:
	"""Answer a power-on (epoch seconds UTC)."""
	try:
		request = requests.auth(body)
	except InvalidRequest:
		return INVALID
	row = node.row(request.d)
	key = _key(node, request.e, request.d, row)
	moment = "" if request.t is UNSET else request.t
	expected = mac.of_auth(key, node.audience, request.d, request.e, request.c, request.n, request.f, moment)
	refused = _refused(node, request, row, key, expected, now)
	if refused or row is None:
		return refused or stranger("unknown_serial")
	decision = decide_bound(row, request.f, now)
	reply = spell(decision, request.n, node, now, hints=_hints(node, request.e, moment, now))
	return Answered(authentic(reply, key), decision)


def heartbeat(body: bytes, node: Node, now: int) -> Answered:
	"""Take note of a heartbeat."""
	try:
		request = requests.heartbeat(body)
	except InvalidRequest:
		return INVALID
	row = node.row(request.d)
	key = _key(node, request.e, request.d, row)
	told = request.told()
	expected = mac.of_heartbeat(key, node.audience, request.d, request.e, request.c, request.n, told.items())
	refused = _refused(node, request, row, key, expected, now)
	if refused or row is None:
		return refused or stranger("unknown_serial")
	return Answered(authentic(wire.HEARD, key), Decision(ALLOW, "heartbeat", row), told=told)


def stream(body: bytes, node: Node, now: int) -> Answered:
	"""Give, renew or take back the slot of a stream."""
	try:
		request = requests.stream(body)
	except InvalidRequest:
		return INVALID
	row = node.row(request.d)
	key = _key(node, request.e, request.d, row)
	expected = mac.of_stream(
		key,
		node.audience,
		request.d,
		request.e,
		request.c,
		request.n,
		request.o,
		request.ch,
		request.sid,
		request.pin or "",
	)
	refused = _refused(node, request, row, key, expected, now)
	if refused or row is None:
		return refused or stranger("unknown_serial")
	reply, code = _slot(request, row, node, now)
	runs = "" if code or request.o == "stop" else request.sid
	decision = Decision(DENY if code else ALLOW, code or "stream", row)
	return Answered(authentic(reply, key), decision, stream=runs)


def stranger(reason: str) -> Answered:
	"""The one answer of whoever did not prove itself; the reason stays with us, and the TV it named is not held to it."""
	return Answered(wire.STRANGER, Decision(STRANGER, reason))


def conflict(
	node: Node, row: Row, verdict: counter.Verdict, nonce: str, key: bytes, now: int, number: int = 0
) -> Answered:
	"""The answer of a genuine TV whose count does not fit: the last number, and a challenge to prove itself with.

	`number`: the one that it used.
	"""
	given = challenge.make(node.masters, node.audience, row.serial, now)
	reply = wire.conflict(verdict.kind, nonce, given, verdict.base)
	return Answered(authentic(reply, key), Decision(CONFLICT, verdict.kind, row), number=number)


def authentic(reply: wire.Answer, key: bytes) -> wire.Answer:
	"""The reply under a MAC of the TV's own key; a fault of ours stays without, as it says nothing about the TV."""
	return reply if reply is wire.UNAVAILABLE else reply.under(mac.of_reply(key, reply.body))


def decide_bound(row: Row, said: str, now: int) -> Decision:
	"""Decide for a TV that has proven itself and says this of its parts."""
	decision = judge(row, now)
	if decision.kind == ALLOW and row.fp and not mac.same(row.fp, said):
		return mismatch(row, now)
	return decision


def spell(
	decision: Decision,
	nonce: str,
	node: Node,
	now: int,
	*,
	hints: tuple[str, ...] = (),
	epoch: str = "",
	key: str = "",
	place: dict[str, str] | None = None,
) -> wire.Answer:
	"""The reply to a TV that has proven itself. `epoch`, `key` and its `place` at the broker go along when it showed an assertion."""
	row = decision.row
	if row is None or decision.kind == UNAVAILABLE:
		return wire.UNAVAILABLE
	if decision.kind == ALLOW:
		allowed = wire.Allowed(
			decision="allow",
			lease=row.lease,
			documents=tuple(node.documents(row.offers)),
			time=now,
			play_until=decision.play_until,
			ask_after=decision.ask_after,
			n=nonce,
			hints=hints or UNSET,
			epoch=epoch or UNSET,
			key=key or UNSET,
			mqtt=place or UNSET,
		)
		return wire.encode(allowed)
	denied = wire.Denied(
		decision="deny",
		code=decision.code,
		text=wire.DENIAL_TEXTS[decision.code],
		time=now,
		ask_after=decision.ask_after,
		denial=UNSET if decision.code == "binding_mismatch" else row.denial,
		n=nonce,
		epoch=epoch or UNSET,
		key=key or UNSET,
	)
	return wire.encode_denied(denied)


def _key(node: Node, epoch: str, serial: str, row: Row | None) -> bytes:
	"""The key that a request in this epoch must be authenticated with; one that nobody has when there is none."""
	known = row.key_hash if row and row.key_hash else mac.NOBODY
	return node.masters.of(epoch, serial, known)


def _refused(
	node: Node,
	request: requests.Auth | requests.Heartbeat | requests.StreamSlot,
	row: Row | None,
	key: bytes,
	expected: str,
	now: int,
) -> Answered | None:
	"""The answer to a request that goes no further: it proves nothing, or its number does not fit."""
	is_genuine = mac.same(expected, request.m)
	if row is None:
		return stranger("unknown_serial")
	if not row.key_hash:
		return stranger("not_bound")
	if not node.masters.knows(request.e):
		return stranger("key_epoch_expired")
	if not is_genuine:
		return stranger("wrong_credential")
	number = int(request.c)
	verdict = node.count(request.d, number, request.n, False)
	return None if verdict.taken else conflict(node, row, verdict, request.n, key, now, number)


def _hints(node: Node, epoch: str, moment: str, now: int) -> tuple[str, ...]:
	if moment and abs(int(moment) - now) > CLOCK:
		return (SET_CLOCK,) if epoch == str(node.masters.current) else (ROTATE, SET_CLOCK)
	return () if epoch == str(node.masters.current) else (ROTATE,)


def _slot(request: requests.StreamSlot, row: Row, node: Node, now: int) -> tuple[wire.Answer, str]:
	"""The reply to a stream's request, and the code of its refusal."""
	decision = judge(row, now)
	if decision.kind == UNAVAILABLE:
		return wire.UNAVAILABLE, decision.code
	if request.o != "stop":
		age = node.channels(row.offers).get(request.ch) if decision.kind == ALLOW else None
		if age is None:
			return wire.not_entitled(request.n), "not_entitled"
		if _is_locked(request, row, node, age, now):
			opens = bool(row.pin) and node.guesses.is_open(row.serial, now)
			return wire.parental_locked(request.n, opens), "parental_locked"
	slots = node.slots(row, request, now)
	if not slots.until:
		return wire.stream_limit(request.n, sorted(slots.running)), "stream_limit"
	return wire.slot(request.n, slots.until), ""


def _is_locked(request: requests.StreamSlot, row: Row, node: Node, age: int, now: int) -> bool:
	"""Whether the channel stays locked. Wrong PINs are counted; while there were too many, a right one opens nothing."""
	lock = parental.Lock(row.lock, row.pin)
	if not lock.holds(age):
		return False
	if not request.pin or not lock.verifier or not node.guesses.is_open(row.serial, now):
		return True
	if parental.is_right(lock, request.pin, node.audience, request.d, request.c, request.n):
		return False
	node.guesses.note_wrong(row.serial, now)
	return True
