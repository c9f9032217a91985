"""The edge's file takes what the publisher signed, in order, and nothing else."""

import pytest

from subscriber_tv.core.activation import feed
from subscriber_tv.core.devices import jws
from subscriber_tv.edge.store import OutOfOrder, State, Store, set_damaged_aside

NOW = 1_800_000_000
SIGNER = jws.Signer(jws.new_key())
VERIFIER = jws.Verifier(jws.jwks(SIGNER))


def tv(seq, serial, **fields):
	return feed.Entry("Device", serial, seq=seq, key_hash="k", offers=("HOTEL-V1",), **fields)


def offer(seq, document_hash):
	return feed.Entry(
		"Offer", "HOTEL-V1", seq=seq, document=f"signed {document_hash}", document_hash=document_hash
	)


def page(kind, after, upto, *rows, as_of=NOW, last=True, signer=SIGNER):
	return feed.encode_page(feed.Page(kind, after, upto, as_of, last, rows), signer)


FULL = page("snapshot", 0, 5, offer(1, "h1"), tv(3, "TV-000001"), tv(5, "TV-000002"))


@pytest.fixture
def store(tmp_path):
	found = Store(tmp_path / "new" / "edge.db")
	found.load_snapshot([FULL], VERIFIER)
	yield found
	found.close()


def test_a_new_file_is_empty_and_private(tmp_path):
	path = tmp_path / "edge.db"
	assert Store(path).state() == State(0, 0, 0, 0)
	assert path.stat().st_mode & 0o077 == 0


def test_a_snapshot(store):
	assert store.state() == State(5, NOW, 2, 1)
	assert store.row("TV-000001").offers == ("HOTEL-V1",)
	assert store.row("TV-000009") is None
	assert store.documents(("HOTEL-V1", "OTHER")) == ["h1"]
	assert store.document("h1") == "signed h1"


def test_a_delta(store):
	delta = page(
		"delta", 5, 8, tv(6, "TV-000001", removed=True), offer(7, "h2"), tv(8, "TV-000003"), as_of=NOW + 9
	)
	state = store.apply_delta(*delta, VERIFIER)
	assert (state.seq, state.as_of, state.devices) == (8, NOW + 9, 2)
	assert store.row("TV-000001") is None and store.row("TV-000003")
	# The hash that TVs were told a moment ago still leads somewhere.
	assert store.documents(("HOTEL-V1",)) == ["h2"] and store.document("h1")


def test_an_empty_delta_confirms(store):
	store.apply_delta(*page("delta", 5, 5, as_of=NOW + 30), VERIFIER)
	assert store.state().age(NOW + 31) == 1


@pytest.mark.parametrize(
	"bad",
	[
		page("delta", 4, 6, tv(6, "TV-000009")),
		page("delta", 6, 7, tv(7, "TV-000009")),
		page("snapshot", 5, 6, tv(6, "TV-000009")),
		page("delta", 5, 6, tv(6, "TV-000009"), as_of=NOW - feed.CLOCK_SKEW - 1),
	],
	ids=["behind", "gap", "snapshot", "from the past"],
)
def test_a_genuine_page_out_of_order_changes_nothing(store, bad):
	with pytest.raises(OutOfOrder):
		store.apply_delta(*bad, VERIFIER)
	assert store.state() == State(5, NOW, 2, 1)
	assert store.row("TV-000009") is None


def test_a_forged_page_changes_nothing(store):
	stranger = jws.Signer(jws.new_key(), SIGNER.kid)
	for load in (
		lambda: store.apply_delta(*page("delta", 5, 6, tv(6, "TV-000009"), signer=stranger), VERIFIER),
		lambda: store.load_snapshot([page("snapshot", 0, 6, tv(6, "TV-000009"), signer=stranger)], VERIFIER),
	):
		with pytest.raises(feed.BadPage):
			load()
	assert (store.state().seq, store.state().devices) == (5, 2)
	assert store.row("TV-000009") is None


def test_a_snapshot_in_pages_replaces_all_at_its_end(store):
	pages = [
		page("snapshot", 0, 9, tv(9, "TV-000007"), last=False),
		page("snapshot", 9, 12, tv(12, "TV-000008")),
	]

	def watched():
		yield pages[0]
		# Half-way, who was known is still known.
		assert store.row("TV-000001") and store.state().seq == 5
		yield pages[1]

	assert store.load_snapshot(watched(), VERIFIER) == State(12, NOW, 2, 2)
	assert store.row("TV-000001") is None and store.document("h1") is None


def test_a_snapshot_cut_short_does_no_harm(store):
	with pytest.raises(OutOfOrder):
		store.load_snapshot([page("snapshot", 0, 9, tv(9, "TV-000007"), last=False)], VERIFIER)
	assert store.state().seq == 5 and store.row("TV-000001")
	assert store.load_snapshot([FULL], VERIFIER).devices == 2
	assert store.row("TV-000007") is None


@pytest.mark.parametrize(
	"bad",
	[
		[page("snapshot", 1, 5, tv(3, "TV-000001"))],
		[page("snapshot", 0, 3, tv(3, "TV-000001"), last=False), page("snapshot", 4, 5, tv(5, "TV-000002"))],
		[page("delta", 0, 5, tv(3, "TV-000001"))],
		[page("snapshot", 0, 5, tv(3, "TV-000001"), as_of=NOW - 1000)],
		[],
	],
	ids=["starts late", "hole", "delta", "from the past", "nothing"],
)
def test_what_is_no_snapshot(store, bad):
	with pytest.raises(OutOfOrder):
		store.load_snapshot(bad, VERIFIER)
	assert (store.state().seq, store.state().as_of, store.state().devices) == (5, NOW, 2)


def test_workers_only_read(store, tmp_path):
	reader = Store(tmp_path / "new" / "edge.db", read_only=True)
	assert reader.row("TV-000001")
	with pytest.raises(Exception, match="readonly"):
		reader.apply_delta(*page("delta", 5, 6), VERIFIER)
	store.apply_delta(*page("delta", 5, 6, tv(6, "TV-000001", removed=True)), VERIFIER)
	assert reader.row("TV-000001") is None


@pytest.mark.parametrize("first_byte", [0, 4096])
def test_a_damaged_file_is_set_aside_and_filled_again(tmp_path, first_byte):
	path = tmp_path / "edge.db"
	found = Store(path)
	found.load_snapshot(
		[page("snapshot", 0, 400, *(tv(n, f"TV-{n:06}", lease="l" * 300) for n in range(1, 401)))], VERIFIER
	)
	found.close()
	content = bytearray(path.read_bytes())
	content[first_byte : first_byte + 20_000] = b"\x5a" * 20_000
	path.write_bytes(content)

	set_damaged_aside(path)

	assert path.with_name("edge.db.damaged").read_bytes() == bytes(content)
	assert Store(path).state() == State(0, 0, 0, 0)


def test_a_sound_file_and_a_missing_one_are_left_alone(store, tmp_path):
	path = tmp_path / "new" / "edge.db"
	set_damaged_aside(path)
	assert store.state().seq == 5 and path.exists()
	set_damaged_aside(tmp_path / "none.db")
	assert not (tmp_path / "none.db").exists()
