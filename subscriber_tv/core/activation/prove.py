"""The slow way: a TV that lost its count or its key, or meets a new epoch, proves itself with what only it holds.

It asks for a challenge, which anybody gets for any serial, and answers with an assertion: a token under its own P-256 key,
or its secret where a model has no key store. The reply brings the key of the days to come.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import UNSET

from subscriber_tv.core.activation import counter, lineage, respond
from subscriber_tv.core.activation.decide import ALLOW, Decision, Row
from subscriber_tv.core.activation.node import Answered, Node
from subscriber_tv.core.devices import challenge, jws, mac, requests, wire
from subscriber_tv.core.devices.wire import InvalidRequest


@dataclass(frozen=True)
class Said:
	"""An assertion, whichever way it is proven: by a token, or by a secret."""

	audience: str
	serial: str
	counter: str
	challenge: str
	parts: str
	nonce: str
	token: str = ""
	secret: str = ""
	line: tuple[str, ...] = ()


def give_challenge(body: bytes, node: Node, now: int) -> Answered:
	"""A challenge for the TV that asks; whether it exists makes no difference."""
	try:
		request = requests.challenge(body)
	except InvalidRequest:
		return respond.INVALID
	audience = requests.DESK if request.aud == requests.DESK else node.audience
	given = challenge.make(node.masters, audience, request.d, now)
	return Answered(wire.challenge(given), Decision(ALLOW, "challenge"))


def assertion(body: bytes, node: Node, now: int) -> Answered:
	"""Answer an assertion: as a power-on, with the newest key in the reply (epoch seconds UTC)."""
	try:
		said = _read(body, node)
	except InvalidRequest:
		return respond.INVALID
	row = node.row(said.serial)
	if reason := _unproven(said, row, node):
		return respond.stranger(reason)
	if row is None:
		return respond.stranger("unknown_serial")
	key = node.masters.newest(said.serial, row.key_hash)
	if not challenge.is_fresh(node.masters, node.audience, said.serial, said.challenge, now):
		stale = counter.Verdict(counter.RESYNC, int(said.counter))
		return respond.conflict(node, row, stale, said.nonce, key, now)
	before = node.line(said.serial)
	verdict = node.count(said.serial, int(said.counter), said.nonce, True)
	if not verdict.taken:
		return respond.conflict(node, row, verdict, said.nonce, key, now, int(said.counter))
	decision = respond.decide_bound(row, said.parts, now)
	epoch = str(node.masters.current)
	place = node.place(said.serial)
	reply = respond.spell(decision, said.nonce, node, now, epoch=epoch, key=mac.b64_mac(key), place=place)
	is_new = verdict.kind == counter.ACCEPTED
	line = _goes_on_from(said, before, node) if is_new else lineage.UNTOLD
	return Answered(respond.authentic(reply, key), decision, proven=is_new, line=line)


def _read(body: bytes, node: Node) -> Said:
	found = requests.assertion(body)
	if isinstance(found, requests.Secret):
		# Its address is the connection's: a secret is only ever shown to the node that asked.
		said = (node.audience, found.d, found.c, found.chal, found.f, found.n)
		return Said(*said, secret=found.credential, line=_line(found))
	claims, token = found
	said = (claims.aud, claims.d, claims.c, claims.chal, claims.f, claims.n)
	return Said(*said, token=token, line=_line(claims))


def _line(found: requests.Claims | requests.Secret) -> tuple[str, ...]:
	return () if found.l is UNSET else lineage.read(found.l)


def _goes_on_from(said: Said, before: lineage.Line, node: Node) -> str:
	"""Which line this TV goes on from; the tip that it does not know is overtaken from now on."""
	found = lineage.judge(said.line, before)
	if found.overtaken != before.overtaken:
		node.overtake(said.serial, found.overtaken)
	return found.kind


def _unproven(said: Said, row: Row | None, node: Node) -> str:
	"""Why this assertion proves nothing; "" when it does. The costly part runs for strangers too."""
	is_proven = _is_proven(said, row)
	if row is None:
		return "unknown_serial"
	if not row.key_hash:
		return "not_bound"
	if not is_proven:
		return "wrong_credential"
	return "" if said.audience == node.audience else "wrong_audience"


def _is_proven(said: Said, row: Row | None) -> bool:
	known = row.key_hash if row and row.key_hash else mac.NOBODY
	if said.secret:
		is_same = mac.same(known, wire.key_fingerprint(said.secret))
		return is_same and row is not None and not row.key
	return jws.check_proof(jws.ASSERTION, known, row.key if row else "", said.token)
