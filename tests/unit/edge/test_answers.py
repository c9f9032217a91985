"""The file in which an edge keeps its counts until the publisher has them."""

import asyncio

import pytest

from subscriber_tv.core.activation import rollup
from subscriber_tv.core.activation.decide import ALLOW, STRANGER, Decision, Row
from subscriber_tv.edge.answers import KEEP_SECONDS, AnswerFile, Counter

NOW = 1_800_000_000
ROW = Row("LG55-000001", "k", "Active", 1, 0, "l", 2, "d", (), 86_400, 7)


def allowed(serial="LG55-000001", count=1, first=NOW, last=None):
	bucket = rollup.named(rollup.ALLOWED, when=first, serial=serial, audience="e", version=7)
	return rollup.Tally(bucket, count, first, last or first)


def stranger(number, when=NOW):
	bucket = rollup.named(rollup.STRANGERS, when=when, code="unknown_serial", network=f"10.0.{number}.0/24")
	return rollup.Tally(bucket, 1, when, when)


@pytest.fixture
def path(tmp_path):
	return tmp_path / "new" / "edge-answers.db"


@pytest.fixture
def file(path):
	found = AnswerFile(path)
	yield found
	found.close()


def test_a_new_file_is_private_and_has_a_name(path, file):
	assert path.stat().st_mode & 0o077 == 0
	again = AnswerFile(path)
	assert len(file.file()) == 12 and again.file() == file.file()
	again.close()
	assert file.take() is None


def test_counts_add_up(file):
	file.add([allowed(count=2, last=NOW + 5)])
	file.add([allowed(first=NOW - 5), stranger(1)])
	number, (first, second) = file.take()
	assert number == 1
	assert (first.serial, first.count, first.first, first.last, first.version) == (
		"LG55-000001",
		3,
		NOW - 5,
		NOW + 5,
		7,
	)
	assert (second.kind, second.network, second.count) == ("Stranger", "10.0.1.0/24", 1)


def test_a_taken_batch_keeps_its_number_and_rows_until_it_is_forgotten(file):
	file.add([allowed()])
	taken = file.take()
	file.add([allowed(), stranger(1)])
	assert file.take() == taken
	file.forget(1)
	number, rows = file.take()
	assert (number, len(rows)) == (2, 2)
	file.forget(2)
	assert file.take() is None


def test_batches_are_bounded_and_begin_with_the_oldest(file):
	file.add([stranger(number, NOW + number) for number in (3, 1, 2)])
	number, rows = file.take(2)
	assert {row.network for row in rows} == {"10.0.1.0/24", "10.0.2.0/24"}
	file.forget(number)
	assert file.take(2)[1][0].network == "10.0.3.0/24"


def test_what_waited_too_long_is_dropped(file):
	file.add([allowed(), allowed("LG55-000002", first=NOW - KEEP_SECONDS - 90_000)])
	assert file.drop_old(NOW) == 1
	assert [row.serial for row in file.take()[1]] == ["LG55-000001"]


def test_too_many_rows_cost_strangers_first(file):
	file.add([stranger(1), stranger(2, NOW + 9), allowed(first=NOW - 60)])
	assert file.drop_old(NOW, keep_rows=2) == 1
	assert file.drop_old(NOW, keep_rows=1) == 1
	assert [row.kind for row in file.take()[1]] == ["Allowed"]
	assert file.drop_old(NOW) == 0


def test_a_counter_flushes_by_itself_and_at_the_end(path, file):
	async def work():
		counter = Counter(path, "south", 0.05)
		counter.start()
		counter.count(Decision(ALLOW, row=ROW), "192.0.2.1", NOW)
		for _ in range(100):
			await asyncio.sleep(0.02)
			if found := file.take():
				break
		file.forget(found[0])
		counter.count(Decision(STRANGER, "not_bound", ROW), "192.0.2.1", NOW)
		await counter.stop()
		return found[1]

	(first,) = asyncio.run(work())
	assert (first.kind, first.serial, first.count) == ("Allowed", "LG55-000001", 1)
	assert [row.code for row in file.take()[1]] == ["not_bound"]


def test_what_cannot_be_written_stays_in_memory(tmp_path):
	folder = tmp_path / "blocked"
	folder.write_text("a file where a folder should be")

	async def work():
		counter = Counter(folder / "answers.db", "south", 60)
		counter.count(Decision(ALLOW, row=ROW), "192.0.2.1", NOW)
		await counter.flush()
		folder.unlink()
		counter.count(Decision(ALLOW, row=ROW), "192.0.2.1", NOW + 1)
		await counter.flush()

	asyncio.run(work())
	file = AnswerFile(folder / "answers.db")
	assert file.take()[1][0].count == 2
	file.close()
