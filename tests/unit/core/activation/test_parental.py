"""The parental lock: which channels it holds, what opens them, and how often one may guess."""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol_case import NOW, MemoryNode, PaperTv, row_of

from subscriber_tv.core.activation import parental, respond

PIN = "2468"
TV = PaperTv()
VERIFIER = parental.verifier(TV.serial, PIN)


@pytest.fixture
def ask():
	"""Start a stream at a node where this TV is locked; answers with status and body."""
	node, count = MemoryNode(), itertools.count(1)

	def start(channel="NIGHT", pin="", *, lock=12, known=VERIFIER, now=NOW, operation="start"):
		node.rows[TV.serial] = row_of(TV, lock=lock, pin=known)
		body = TV.stream(operation, c=next(count), ch=channel, pin=pin)
		answer = respond.stream(body, node, now).answer
		return answer.status, json.loads(answer.body)

	return start


@pytest.mark.parametrize(
	("lock", "age", "held"), [(0, 18, False), (10, 0, False), (12, 10, False), (12, 12, True), (16, 18, True)]
)
def test_a_lock_holds_what_is_not_for_the_young(lock, age, held):
	assert parental.Lock(lock).holds(age) is held


@given(st.one_of(st.text(max_size=9), st.from_regex(r"\A[0-9]{3,9}\Z")))
@settings(deadline=None)
def test_a_pin_is_four_to_eight_digits(pin):
	if pin.isascii() and pin.isdigit() and 4 <= len(pin) <= 8:
		assert len(parental.verifier(TV.serial, pin)) == 43
	else:
		with pytest.raises(parental.BadPin):
			parental.verifier(TV.serial, pin)


def test_one_pin_of_two_tvs_is_kept_as_two_things():
	assert parental.verifier("TV-000001", PIN) != parental.verifier("TV-000002", PIN)


def test_a_locked_channel_opens_with_the_pin_alone(ask):
	assert ask()[0] == 403
	assert ask()[1] == {
		"error": "parental_locked",
		"error_description": "This channel is locked for young viewers.",
		"n": "A" * 22,
		"pin": True,
	}
	assert ask(pin="1357")[1]["error"] == "parental_locked"
	assert ask(pin=PIN)[0] == 200
	assert ask("TF1")[0] == 200
	assert ask("ACTION", lock=16)[0] == 200
	assert ask(lock=0)[0] == 200


def test_a_renewal_shows_the_pin_too(ask):
	assert ask(pin=PIN)[0] == 200
	assert ask(operation="renew")[1]["error"] == "parental_locked"
	assert ask(operation="renew", pin=PIN)[0] == 200
	assert ask(operation="stop")[0] == 200


def test_without_a_pin_nothing_opens(ask):
	status, refused = ask(known="", pin=PIN)
	assert (status, refused["pin"]) == (403, False)


def test_what_is_no_part_of_the_offer_is_no_matter_of_locks(ask):
	assert ask("CANAL", pin=PIN)[1]["error"] == "not_entitled"


def test_too_many_wrong_pins_shut_out_the_right_one_for_a_while(ask):
	for _guess in range(parental.GUESSES):
		assert ask(pin="0000")[1]["error"] == "parental_locked"
	assert ask(pin=PIN)[1] | {"n": ""} == {
		"error": "parental_locked",
		"error_description": "This channel is locked for young viewers.",
		"n": "",
		"pin": False,
	}
	assert ask(pin=PIN, now=NOW + 179)[0] == 403
	assert ask(pin=PIN, now=NOW + 181)[0] == 200


def test_right_pins_are_not_counted(ask):
	assert all(ask(pin=PIN)[0] == 200 for _ in range(3 * parental.GUESSES))


def test_a_proof_is_good_for_its_own_question(ask):
	shown = parental.proof(VERIFIER, "south", TV.serial, "1", "A" * 22)
	lock = parental.Lock(12, VERIFIER)
	assert parental.is_right(lock, shown, "south", TV.serial, "1", "A" * 22)
	for other in (
		("north", TV.serial, "1", "A" * 22),
		("south", "TV-000009", "1", "A" * 22),
		("south", TV.serial, "2", "A" * 22),
		("south", TV.serial, "1", "B" * 22),
	):
		assert not parental.is_right(lock, shown, *other)


def test_the_mac_covers_the_pin():
	node = MemoryNode()
	node.rows[TV.serial] = row_of(TV, lock=12, pin=VERIFIER)
	with_pin = json.loads(TV.stream("start", ch="NIGHT", pin=PIN))
	without = {name: value for name, value in with_pin.items() if name != "pin"}
	assert respond.stream(json.dumps(without).encode(), node, NOW).answer.status == 401
	moved = {**json.loads(TV.stream("start", ch="NIGHT")), "pin": with_pin["pin"]}
	assert respond.stream(json.dumps(moved).encode(), node, NOW).answer.status == 401
