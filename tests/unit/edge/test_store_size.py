"""What a TV costs on the edge's disk, and that rows signed again cost nothing more."""

import random

from subscriber_tv.core.activation import compact, feed, projection, streams
from subscriber_tv.core.activation.projection import Unsigned
from subscriber_tv.core.devices import jws
from subscriber_tv.edge.store import Store

NOW = 1_800_000_000
WEEK = 7 * 86_400
SIGNER = jws.Signer(jws.new_key())
VERIFIER = jws.Verifier(jws.jwks(SIGNER))
TVS = 2000
# The goal is 700.
MOST = 500


def rows(first, now):
	dice = random.Random(1)
	for number in range(TVS):
		unsigned = Unsigned(
			feed.DEVICE,
			f"LG55-{number * 7919 % 100_003:07}",
			"",
			state="Active",
			key_hash=jws.b64url(dice.randbytes(32)),
			rights_from=NOW - 86_400,
			offers=("HOTEL-STANDARD-V3",),
			play_seconds=WEEK,
			key=jws.b64url(dice.randbytes(64)),
			fp=jws.b64url(dice.randbytes(32)),
			account=streams.account_of(f"TVS-{number}"),
			streams=2,
		)
		signed = projection.sign(unsigned, SIGNER, now, WEEK, "subscriber_tv", number + 1)
		yield compact.on_its_way(signed.entry.numbered(first + number))


def page(kind, after, now):
	found = feed.Page(kind, after, after + TVS, now, True, tuple(rows(after + 1, now)))
	return feed.encode_page(found, SIGNER)


def test_a_tv_with_lease_and_key_takes_less_than_the_goal(tmp_path):
	store = Store(tmp_path / "edge.db")
	store.load_snapshot([page("snapshot", 0, NOW)], VERIFIER)
	assert size(store, tmp_path) / TVS < MOST
	assert jws.unverified_claims(store.row("LG55-0000000").lease)
	VERIFIER.verify(jws.LEASE, store.row("LG55-0000000").lease)
	for day in range(1, 4):
		store.apply_delta(*page("delta", day * TVS, NOW + day * 86_400), VERIFIER)
	assert store.state().devices == TVS
	assert size(store, tmp_path) / TVS < MOST
	store.close()


def size(store, folder):
	store._db.execute("pragma wal_checkpoint(truncate)")
	return (folder / "edge.db").stat().st_size
