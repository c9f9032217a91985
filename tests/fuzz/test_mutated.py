"""Genuine questions of simulated TVs, mutated, to a real edge and a real desk: the same outcome at both, nothing given away."""

import json
import random
import time

from jose_forger import Genuine, attacks
from mutate import (
	CONTENT_TYPES,
	ENCODINGS,
	HEADERS,
	METHODS,
	SUFFIXES,
	bytes_of,
	fields_of,
	json_of,
	token_of,
)
from nodes import JSON
from sets import OPERATIONS, PROVEN, PROVING

from subscriber_tv.core.devices import jws

_WEIGHTS = (4, 4, 3, 3, 1, 1, 1)
# Members of replies that follow from the moment or from chance.
_PASSING = ("time", "play_until", "ask_after", "until", "challenge")


class Forger:
	"""Forgeries of a TV's token, by a forger who even has its key."""

	def __init__(self, crowd):
		self._pems = {tv.signer.kid: tv.pem.encode() for tv in crowd.sets if tv.signer}

	def __call__(self, token: str) -> dict[str, str]:
		genuine = Genuine(self._pems[jws.key_id(token)], jws.ASSERTION, jws.unverified_claims(token))
		# What it signs anew under the right header would be genuine.
		return attacks(genuine)


def mutated(kind, body, other, dice, forge):
	if kind == "bytes":
		return bytes_of(body, dice)
	if kind == "json":
		return json_of(body, dice)
	if kind == "fields":
		return fields_of(body, dice, other)
	if kind == "token":
		return token_of(body, dice, forge)
	return body


def test_mutated_bodies(scene, requests_wanted, die):
	"""Every question goes to each node, byte for byte the same."""
	dice, crowd = random.Random(die), scene.crowd
	forge, before = Forger(crowd), b'{"d":"AAAAAA"}'
	for number in range(requests_wanted):
		operation = dice.choices(OPERATIONS, _WEIGHTS)[0]
		kind = dice.choice(("genuine", "bytes", "json", "fields", "fields", "token", "again"))
		body = crowd.asks(operation, dice, int(time.time()))
		sent = crowd.last.get(operation, body) if kind == "again" and number % 2 else body
		sent = mutated(kind, sent, before, dice, forge)
		before = body
		replies = {name: node.ask(operation, sent) for name, node in scene.nodes.items()}
		for name, reply in replies.items():
			crowd.judge(name, operation, sent, reply)
			scene.tally(f"mutated, {name}", str(reply.status))
			if operation in PROVING and kind == "genuine":
				# Not vacuous: what is genuine is known as such.
				assert reply.status in (*PROVEN, 503), (name, operation, sent, reply)
		assert alike(operation, replies.values()), (number, kind, operation, sent, replies)


def alike(operation, replies) -> bool:
	"""Whether all nodes said the same, but for the moment. An edge that hands a question on may find nobody there."""
	statuses = {reply.status for reply in replies} - {503}
	if operation in ("enrol", "token"):
		return len(statuses) <= 1
	bodies = {frozenset(lasting(reply)) for reply in replies if reply.status != 503}
	return len(statuses) <= 1 and len(bodies) <= 1


def lasting(reply):
	pairs = meaning_of_reply(reply)
	return {(name, value) for name, value in pairs if name not in _PASSING}


def meaning_of_reply(reply):
	document = json.loads(reply.body) if reply.body else {}
	return {(name, json.dumps(value)) for name, value in document.items()}


def test_mutated_frames(scene, requests_wanted, die):
	"""Other methods, types, encodings, headers and addresses, around questions that are genuine or not."""
	dice, crowd = random.Random(die + 1), scene.crowd
	for _number in range(requests_wanted):
		operation = dice.choices(OPERATIONS, _WEIGHTS)[0]
		body = crowd.asks(operation, dice, int(time.time()))
		if dice.random() < 0.5:
			body = bytes_of(body, dice)
		method, suffix, headers, comparable = framed(dice)
		replies = {}
		for name, node in scene.nodes.items():
			path = node.paths.of(operation) + suffix
			reply = replies[name] = node.send(method, path, body, headers)
			crowd.judge(name, operation if method == "POST" else "frame", body, reply)
			scene.tally(f"frames, {name}", str(reply.status))
		if comparable and len(replies) > 1:
			assert len({reply.status for reply in replies.values()} - {503}) <= 1, (
				method,
				headers,
				body,
				replies,
			)


def framed(dice):
	"""Method, end of the address, headers; and whether desk and edge must say the same to it."""
	kind = dice.choice(("method", "type", "encoding", "header", "header", "suffix"))
	if kind == "method":
		return dice.choice(METHODS), "", JSON, False
	if kind == "type":
		return "POST", "", {"Content-Type": dice.choice(CONTENT_TYPES)}, True
	if kind == "encoding":
		return "POST", "", {**JSON, "Content-Encoding": dice.choice(ENCODINGS)}, True
	if kind == "header":
		return "POST", "", {**JSON, **dict([dice.choice(HEADERS)])}, False
	return "POST", dice.choice(SUFFIXES), JSON, False
