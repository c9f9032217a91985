"""The power-on benchmark's own arithmetic: what it prints must follow from what it saw."""

import hashlib
import os

import pytest

from benchmarks.device_auth import figures, questions, radius_load, report, wires
from benchmarks.device_auth.fleet import MASTERS
from subscriber_tv.core.devices import mac


def a_round(**answers_and_cpu):
	"""One round: contender -> (right answers, seconds of server CPU)."""
	return {
		name.replace("_", " "): {"answers": answers, "cpu": cpu, "wall": 4.0}
		for name, (answers, cpu) in answers_and_cpu.items()
	}


@pytest.mark.parametrize(
	("count", "share", "expected"),
	[(100, 0.99, 99), (100, 0.5, 50), (1, 0.99, 1), (200, 0.99, 198), (3, 0.5, 2), (1000, 1.0, 1000)],
)
def test_percentile_is_the_nearest_rank(count, share, expected):
	values = list(range(1, count + 1))
	assert figures.percentile(values[::-1], share) == expected


def test_percentile_of_nothing():
	assert figures.percentile([], 0.99) == 0.0


def test_ratios_are_taken_round_by_round():
	"""The median of ratios, not the ratio of medians: a round in which the machine was slow was slow for both."""
	rounds = [
		a_round(edge=(8000, 1.0), echo=(10_000, 1.0)),
		a_round(edge=(400, 1.0), echo=(1000, 1.0)),
		a_round(edge=(9000, 2.0), echo=(9000, 1.0)),
	]
	found = figures.ratios(rounds, "edge", "echo")
	assert (found.median, found.least, found.most) == (0.5, 0.4, 0.8)


def test_what_was_not_measured_has_no_ratio():
	rounds = [a_round(edge=(8000, 1.0))]
	assert figures.ratios(rounds, "edge", "desk") is None
	goals = report.goals(rounds, ["edge"], {})
	assert {goal.verdict for goal in goals} == {"not measured"}


def test_only_right_answers_count():
	"""A server that refuses quickly is not a quick server."""
	assert figures.per_cpu({"answers": 0, "cpu": 2.0}) == 0.0
	assert figures.per_wall({"answers": 50, "wall": 2.0}) == 25.0


@pytest.mark.parametrize(
	("figure", "wanted", "at_most", "verdict"),
	[
		(2.5, 2.5, False, "met"),
		(2.49, 2.5, False, "NOT MET"),
		(10.0, 10.0, True, "met"),
		(10.1, 10.0, True, "NOT MET"),
		(None, 1.0, False, "not measured"),
	],
)
def test_a_goal_is_met_or_not(figure, wanted, at_most, verdict):
	goal = figures.Goal("G", "text", figure, wanted, at_most=at_most)
	assert goal.verdict == verdict and verdict in str(goal)


def test_each_edge_is_held_to_its_own_echo():
	rounds = [a_round(edge_lean=(6, 1.0), echo_lean=(10, 1.0), edge_granian=(2, 1.0), echo_granian=(8, 1.0))]
	goals = {goal.name: goal for goal in report.goals(rounds, ["edge lean", "edge granian"], {})}
	assert goals["G3 lean"].figure == 0.6 and goals["G3 lean"].verdict == "met"
	assert goals["G3 granian"].figure == 0.25 and goals["G3 granian"].verdict == "NOT MET"


HEAD = b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\n"


@pytest.mark.parametrize(
	("data", "whole"),
	[
		(HEAD + b"hello", True),
		(HEAD + b"hell", False),
		(HEAD[:-2], False),
		(b"HTTP/1.1 204 No Content\r\n\r\n", True),
		(b"HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", True),
	],
)
def test_an_answer_is_whole_at_its_last_byte(data, whole):
	assert wires.whole(data) is whole


def test_an_answer_without_length_is_an_error():
	with pytest.raises(wires.Broken):
		wires.whole(b"HTTP/1.1 200 OK\r\n\r\n")


def test_headers_and_body_are_parted():
	assert wires.parted(HEAD + b"hello") == ({"server": "x", "content-length": "5"}, b"hello")


@pytest.mark.parametrize("tvs", [100, 56_300, 563_000])
def test_every_tv_has_its_turn_before_anybody_has_another(tvs):
	assert len({questions.tv_of(turn, tvs) for turn in range(tvs)}) == tvs


def test_a_radius_password_is_hidden_as_rfc_2865_says():
	authenticator = bytes(range(16))
	packet = radius_load.packet(7, "TV-0001", "p" * 20, authenticator)
	assert packet[:2] == bytes((1, 7)) and int.from_bytes(packet[2:4], "big") == len(packet)
	assert packet[4:20] == authenticator and packet[20:29] == bytes((1, 9)) + b"TV-0001"
	hidden = packet[31:]
	first = hashlib.md5(radius_load.SECRET + authenticator).digest()
	second = hashlib.md5(radius_load.SECRET + hidden[:16]).digest()
	plain = bytes(a ^ b for a, b in zip(hidden, first + second, strict=True))
	assert plain == b"p" * 20 + b"\0" * 12


def test_an_accept_from_who_does_not_know_the_secret_is_none():
	authenticator, head = os.urandom(16), bytes((2, 7, 0, 20))
	genuine = hashlib.md5(head + authenticator + radius_load.SECRET).digest()
	assert radius_load.is_accepted(head + genuine, authenticator)
	assert not radius_load.is_accepted(head + hashlib.md5(head + authenticator).digest(), authenticator)
	assert not radius_load.is_accepted(bytes((3, 7, 0, 20)) + genuine, authenticator)


class OneTv:
	"""A fleet of one."""

	def __len__(self):
		return 1

	def serial(self, _number):
		return "BENCH-0000000"

	def thumbprint(self, _number):
		return "A" * 43


def test_a_question_counts_on_and_proves_itself():
	desk = questions.Desk(OneTv(), "bench")
	first, second = desk.question(questions.AUTH, 0), desk.question(questions.AUTH, 1)
	assert b'"c":"1"' in first.body and b'"c":"2"' in second.body and first.nonce != second.nonce
	key = MASTERS.newest("BENCH-0000000", "A" * 43)
	m = mac.of_auth(key, "bench", "BENCH-0000000", "2", "1", first.nonce, mac.NOBODY)
	assert f'"m":"{m}"'.encode() in first.body
