"""Whatever a disk does to the projection's file: a TV's row comes back as it was written, or not at all."""

import random
import sqlite3
from contextlib import closing

import pytest

from subscriber_tv.core.activation import feed
from subscriber_tv.core.devices import jws
from subscriber_tv.edge import runtime, soundness
from subscriber_tv.edge.store import Damaged, Store, prepare, put_in_place

SIGNER = jws.Signer(jws.new_key())
VERIFIER = jws.Verifier(jws.jwks(SIGNER))
SERIALS = [f"HOTEL-{number:06}" for number in range(400)]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
	shared = tmp_path / "run"
	shared.mkdir()
	monkeypatch.setenv(runtime.FOLDER, str(shared))
	return shared


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
	"""The bytes of a sound file, and its rows."""
	path = tmp_path_factory.mktemp("whole") / "edge.db"
	rows = tuple(
		feed.Entry("Device", serial, seq=seq, key_hash="k" * 43, state="Active", lease="l" * 200)
		for seq, serial in enumerate(SERIALS, 1)
	)
	page = feed.encode_page(feed.Page("snapshot", 0, len(rows), 1_800_000_000, True, rows), SIGNER)
	with closing(Store(path)) as store:
		store.load_snapshot([page], VERIFIER)
		entries = {serial: store.row(serial) for serial in SERIALS}
	return path.read_bytes(), entries


def ask(path, serial):
	"""The row, None for an unknown TV, or Damaged."""
	try:
		with closing(Store(path, read_only=True)) as store:
			return store.row(serial)
	except sqlite3.Error:
		return Damaged


@pytest.mark.parametrize("seed", range(40))
def test_no_damage_changes_or_hides_a_row(whole, tmp_path, seed):
	content, entries = whole
	draws, path = random.Random(seed), tmp_path / "edge.db"
	changed = bytearray(content)
	for _ in range(draws.choice([1, 1, 3, 20])):
		start = draws.randrange(len(changed))
		for position in range(start, min(len(changed), start + draws.choice([1, 1, 8, 4096]))):
			changed[position] ^= draws.randrange(1, 256)
	path.write_bytes(changed)
	for _checked in (False, True):
		for serial in draws.sample(SERIALS, 60):
			assert ask(path, serial) in (entries[serial], Damaged), serial
		assert ask(path, "NOBODY-000001") in (None, Damaged)
		soundness.look(path, VERIFIER)


@pytest.mark.parametrize("seed", range(100, 130))
def test_an_edge_starts_whatever_it_finds(whole, tmp_path, seed):
	content, _ = whole
	draws, path = random.Random(seed), tmp_path / "edge.db"
	start = draws.choice([0, 16, 100, 4096 * draws.randrange(8)])
	path.write_bytes(content[:start] + draws.randbytes(500) + content[start + 500 :])
	prepare(path, VERIFIER)
	assert ask(path, "NOBODY-000001") is Damaged


@pytest.mark.parametrize("length", [0, 100, 4096, 50_000, -4096])
def test_a_file_cut_short(whole, tmp_path, length):
	content, entries = whole
	path = tmp_path / "edge.db"
	path.write_bytes(content[:length])
	for _checked in (False, True):
		for serial in SERIALS[::20]:
			assert ask(path, serial) in (entries[serial], Damaged)
		soundness.look(path, VERIFIER)


def test_nobody_is_unknown_before_the_file_was_checked(whole, tmp_path):
	content, entries = whole
	path = tmp_path / "edge.db"
	path.write_bytes(content)
	assert ask(path, "NOBODY-000001") is Damaged and ask(path, SERIALS[0]) == entries[SERIALS[0]]
	assert soundness.look(path, VERIFIER)
	assert ask(path, "NOBODY-000001") is None
	runtime.note_damage()
	assert ask(path, "NOBODY-000001") is Damaged and ask(path, SERIALS[0]) == entries[SERIALS[0]]


def test_a_reader_finds_the_file_that_took_the_place(whole, tmp_path):
	content, _ = whole
	path, fresh = tmp_path / "edge.db", tmp_path / "edge.db.fresh"
	path.write_bytes(content)
	with closing(Store(path, read_only=True)) as reader:
		assert reader.state().devices == len(SERIALS)
		with closing(Store(fresh)) as other:
			row = feed.Entry("Device", "HOTEL-999999", seq=1)
			page = feed.Page("snapshot", 0, 1, 1_800_000_001, True, (row,))
			other.load_snapshot([feed.encode_page(page, SIGNER)], VERIFIER)
		put_in_place(path, fresh)
		assert soundness.look(path, VERIFIER)
		assert reader.state().devices == 1
		assert reader.row("HOTEL-999999").serial == "HOTEL-999999" and reader.row(SERIALS[0]) is None
	assert (tmp_path / "edge.db.damaged").read_bytes() == content


@pytest.fixture
def strangers(tmp_path):
	"""The file of another operator: whole, the same TVs, other keys."""
	signer, path = jws.Signer(jws.new_key()), tmp_path / "stranger.db"
	row = feed.Entry("Device", SERIALS[0], seq=1, key_hash="s" * 43)
	page = feed.encode_page(feed.Page("snapshot", 0, 1, 1_800_000_000, True, (row,)), signer)
	with closing(Store(path)) as store:
		store.load_snapshot([page], jws.Verifier(jws.jwks(signer)))
	return path


def test_a_strangers_file_is_no_file_of_ours(whole, strangers):
	assert not soundness.look(strangers, VERIFIER) and runtime.is_damaged()
	prepare(strangers, VERIFIER)
	with closing(Store(strangers, read_only=True)) as store:
		assert store.state().as_of == 0


def test_a_reader_does_not_follow_a_file_that_nobody_vouches_for(whole, strangers, tmp_path):
	content, entries = whole
	path = tmp_path / "edge.db"
	path.write_bytes(content)
	assert soundness.look(path, VERIFIER)
	with closing(Store(path, read_only=True)) as reader:
		reader.state()
		strangers.replace(path)
		assert reader.is_replaced and reader.state().devices == len(SERIALS)
		assert reader.row(SERIALS[0]) == entries[SERIALS[0]]
		assert not soundness.look(path, VERIFIER)
		assert reader.state().devices == len(SERIALS)


def test_damage_in_a_file_that_was_replaced_is_no_damage_any_more(whole, tmp_path):
	content, _ = whole
	path, fresh = tmp_path / "edge.db", tmp_path / "edge.db.fresh"
	path.write_bytes(content)
	fresh.write_bytes(content)
	with closing(Store(path, read_only=True)) as reader:
		reader.state()
		put_in_place(path, fresh)
		assert soundness.look(path, VERIFIER)
		# Still at the file of before, which holds a spoiled row.
		with pytest.raises(Damaged):
			reader._opened(SERIALS[0], b"0000 spoiled")
		assert not runtime.is_damaged()


def test_rows_of_the_format_before_get_their_checksums(whole, tmp_path):
	content, entries = whole
	path = tmp_path / "edge.db"
	path.write_bytes(content)
	with closing(sqlite3.connect(path)) as file, file:
		file.execute("update device set entry = substr(entry, 5)")
		file.execute("pragma user_version = 0")
	Store(path).close()
	Store(path).close()
	assert soundness.look(path, VERIFIER) and ask(path, SERIALS[7]) == entries[SERIALS[7]]
