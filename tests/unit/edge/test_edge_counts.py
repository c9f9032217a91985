"""The edge's counts do what the rule says, whoever else writes them."""

import multiprocessing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from subscriber_tv.core.activation import counter, streams
from subscriber_tv.edge.counts import Counts

NONCES = ("A" * 22, "B" * 22)


@pytest.fixture
def counts(tmp_path):
	found = Counts(tmp_path / "new" / "counts.db")
	yield found
	found.close()


def test_the_file_is_private(counts, tmp_path):
	assert (tmp_path / "new" / "counts.db").stat().st_mode & 0o077 == 0


@settings(max_examples=200, deadline=None)
@given(
	st.lists(
		st.tuples(
			st.sampled_from(["TV-000001", "TV-000002"]),
			st.one_of(
				st.integers(1, 6),
				st.integers(999_998, 1_000_004),
				st.integers(2_000_000, 2_000_003),
				st.just(10**16 - 1),
			),
			st.sampled_from(NONCES),
			st.booleans(),
		),
		max_size=30,
	)
)
def test_any_history_is_judged_by_the_rule(history):
	counts = Counts(":memory:")
	seen: dict[str, counter.Seen] = {}
	for serial, number, nonce, proven in history:
		expected = counter.judge(seen.get(serial, counter.Seen()), number, nonce, proven=proven)
		verdict = counts.count(serial, number, nonce, proven)
		assert verdict.kind == expected.kind
		if not verdict.taken:
			assert verdict.base == expected.base
		if verdict.kind == counter.ACCEPTED:
			seen[serial] = counter.Seen(number, nonce)
		assert counts.seen(serial) == seen.get(serial, counter.Seen())
	counts.close()


def race(path, worker, numbers, start, results):
	counts = Counts(path)
	start.wait(30)
	taken = [number for number in numbers if counts.count(f"TV-{number:06}", 1, NONCES[worker], False).taken]
	counts.close()
	results.put(taken)


def test_two_workers_never_accept_one_number_twice(tmp_path):
	path = tmp_path / "counts.db"
	Counts(path).close()
	numbers = range(1, 3001)
	spawn = multiprocessing.get_context("spawn")
	results, start = spawn.Queue(), spawn.Barrier(2)
	workers = [
		spawn.Process(target=race, args=(path, number, numbers, start, results)) for number in range(2)
	]
	for worker in workers:
		worker.start()
	first, second = results.get(timeout=60), results.get(timeout=60)
	for worker in workers:
		worker.join(30)
	# Every number was asked for twice, and is worth one answer.
	assert sorted(first + second) == list(numbers)


def test_slots_are_shared(counts, tmp_path):
	other = Counts(tmp_path / "new" / "counts.db")
	assert counts.slots("acc", "start", "one", 2, 1000).until == 1000 + streams.SLOT
	assert other.slots("acc", "start", "two", 2, 1000).until
	refused = counts.slots("acc", "start", "three", 2, 1000)
	assert (refused.until, sorted(refused.running)) == (0, ["one", "two"])
	assert other.slots("acc", "stop", "one", 2, 1001).until == 1001
	assert counts.slots("acc", "start", "three", 2, 1002).until
	other.close()


def test_a_fault_in_the_middle_leaves_the_slots_as_they_were(counts, monkeypatch):
	counts.slots("acc", "start", "one", 0, 1000)
	monkeypatch.setattr(streams, "judge", lambda *_: 1 / 0)
	with pytest.raises(ZeroDivisionError):
		counts.slots("acc", "stop", "one", 0, 1001)
	monkeypatch.undo()
	assert dict(counts.slots("acc", "renew", "one", 0, 1002).running) == {"one": 1002 + streams.SLOT}


def test_without_a_disk_counts_go_on_in_memory_and_come_back(counts, caplog):
	assert counts.count("TV-000001", 5, NONCES[0], False).taken
	counts._db.execute("pragma query_only = on")
	assert counts.count("TV-000001", 6, NONCES[0], False).taken
	assert counts.count("TV-000001", 6, NONCES[0], False).kind == counter.REPEATED
	assert counts.count("TV-000001", 6, NONCES[1], False) == counter.Verdict(counter.REPLAYED, 6)
	assert counts.count("TV-000001", 5, NONCES[0], False).kind == counter.REPLAYED
	assert counts.count("TV-000002", 1, NONCES[0], False).taken
	assert counts.slots("acc", "start", "one", 1, 1000).until
	assert [record.message for record in caplog.records] == [
		"counts are kept in memory: attempt to write a readonly database"
	]
	counts._db.execute("pragma query_only = off")
	assert counts.count("TV-000001", 6, NONCES[1], False).kind == counter.REPLAYED
	assert counts.count("TV-000001", 7, NONCES[1], False).taken
	assert counts.seen("TV-000001") == counter.Seen(7, NONCES[1])


def test_memory_is_bounded_while_the_disk_is_full(counts, monkeypatch):
	monkeypatch.setattr("subscriber_tv.edge.counts._HELD", 10)
	counts._db.execute("pragma query_only = on")
	for number in range(100):
		assert counts.count(f"TV-{number:06}", 1, NONCES[0], False).taken
	assert len(counts._held) == 10
