"""A worker reads rows from one moment of the file, and from a later one soon."""

import pytest
from test_store import FULL, VERIFIER, page, tv

from subscriber_tv.edge import reader
from subscriber_tv.edge.reader import HOLD, Reader
from subscriber_tv.edge.store import Store


@pytest.fixture
def writer(tmp_path):
	found = Store(tmp_path / "edge.db")
	found.load_snapshot([FULL], VERIFIER)
	yield found
	found.close()


@pytest.fixture
def worker(writer, tmp_path):
	found = Reader(tmp_path / "edge.db")
	yield found
	found.close()


@pytest.fixture
def clock(monkeypatch):
	now = [1000.0]
	monkeypatch.setattr(reader.time, "monotonic", lambda: now[0])
	return now


def remove(writer, serial="TV-000001"):
	writer.apply_delta(*page("delta", 5, 6, tv(6, serial, removed=True)), VERIFIER)


def test_what_is_held_ends_by_itself(writer, worker, clock):
	assert worker.row("TV-000001")
	remove(writer)
	clock[0] += HOLD / 2
	assert worker.row("TV-000001")
	clock[0] += HOLD
	assert worker.row("TV-000001") is None and worker.row("TV-000002")


@pytest.mark.parametrize("ends", [Reader.let_go, Reader.state])
def test_what_is_held_ends_when_it_is_let_go_and_when_the_state_is_asked(writer, worker, clock, ends):
	assert worker.row("TV-000001")
	remove(writer)
	ends(worker)
	assert worker.row("TV-000001") is None


def test_whoever_let_go_keeps_the_writers_journal_from_nothing(writer, worker, clock):
	assert worker.row("TV-000001")
	remove(writer)
	wal = "pragma wal_checkpoint(truncate)"
	writer._db.execute("pragma busy_timeout = 0")
	assert writer._db.execute(wal).fetchone()[0] == 1
	worker.let_go()
	assert writer._db.execute(wal).fetchone() == (0, 0, 0)
