"""The edge's files answer as the rules in memory do, byte for byte, over random histories."""

import time
from datetime import date

import pytest
from msgspec import structs
from protocol_case import MASTERS, MemoryNode

from subscriber_tv.core.activation import feed, projection
from subscriber_tv.core.activation.projection import (
	BouquetFacts,
	ChannelFacts,
	ContractFacts,
	DeviceFacts,
	Facts,
	LineSpan,
	OfferFacts,
	Span,
)
from subscriber_tv.core.devices import jws, mac
from subscriber_tv.edge.config import Config
from subscriber_tv.edge.node import EdgeNode
from subscriber_tv.edge.store import Store
from subscriber_tv.simulator.histories import PARTS, PINS, History, Someone, compare, verifier

SIGNER = jws.Signer(jws.new_key())
CHANNELS = (ChannelFacts("TF1", "TF1", 1), ChannelFacts("NIGHT", "Night", 2, age=16))
OFFER = OfferFacts("HOTEL-V1", "Hotel", (BouquetFacts("B", "Base", "", CHANNELS),), 3600, streams=2)
STATES = ("Active", "Active", "Active", "Suspended", "Cancelled", "Awaiting Activation")
NOW = int(time.time())


def somebody():
	"""TVs with and without a key store, whatever their subscription is; and some that nobody knows."""
	tvs = [Someone(f"TV-{number:06}", jws.Signer(jws.new_key())) for number in range(7)]
	return tvs + [
		Someone(f"SMALL-{number:04}", secret=jws.b64url(bytes([number] * 32))) for number in range(7)
	]


def entries(tvs):
	devices, contracts = [], []
	for number, tv in enumerate(tvs):
		if number % 7 == 6:
			continue  # a stranger
		fp = PARTS if number % 7 == 1 else ""
		key = tv.signer.point if tv.signer else ""
		quarantined = number == 2
		lock, pin = ((12, verifier(tv.serial, PINS[0])), (18, ""), (10, ""))[number % 3]
		devices.append(
			DeviceFacts(
				tv.serial,
				tv.thumbprint,
				tv.serial,
				"L1",
				quarantined=quarantined,
				key=key,
				fp=fp,
				lock=lock,
				pin=pin,
			)
		)
		span = Span(STATES[number % 7], date(2026, 1, 1))
		contracts.append(ContractFacts(tv.serial, "Europe/Paris", (span,), (LineSpan("L1", OFFER.name),)))
	facts = Facts(tuple(devices), tuple(contracts), (OFFER,))
	signed = [
		projection.sign(row, SIGNER, NOW, 60 * 86_400, "test", number).entry.numbered(number)
		for number, row in enumerate(projection.compile(facts, NOW), start=1)
	]
	# One whose lease ran out in the middle of the history: a fault, and no answer to its question.
	return [replace_expiry(row) if row.subject == "TV-000000" else row for row in signed]


def replace_expiry(row):
	return structs.replace(row, expires_at=NOW + 40_000)


class Rules(MemoryNode):
	"""The rules, on the same rows and documents."""

	def __init__(self, rows):
		super().__init__("south")
		self.rows = {row.subject: row.row() for row in rows if row.kind == feed.DEVICE}
		self.offers = {row.subject: row for row in rows if row.kind == feed.OFFER}

	def documents(self, offers):
		return [self.offers[name].document_hash for name in offers if name in self.offers]

	def channels(self, offers):
		return {"TF1": 0, "NIGHT": 16} if offers else {}


@pytest.fixture
def edge(tmp_path):
	def build(rows):
		(tmp_path / "masters.json").write_bytes(mac.write_masters(MASTERS.keys))
		config = Config(tmp_path / "edge.db", tmp_path / "keys", tmp_path / "masters.json", name="south")
		page = feed.Page("snapshot", 0, len(rows), NOW, True, tuple(rows))
		store = Store(config.database)
		store.load_snapshot([feed.encode_page(page, SIGNER)], jws.Verifier(jws.jwks(SIGNER)))
		store.close()
		node = EdgeNode(config)
		node.refresh(NOW)
		return node

	return build


@pytest.mark.parametrize("questions", [4000, pytest.param(100_000, marks=pytest.mark.histories)])
def test_equal_state_gives_equal_bytes(edge, questions):
	tvs = somebody()
	rows = entries(tvs)
	rules, node = Rules(rows), edge(rows)
	history = History(tvs, MASTERS, "south", NOW, ("TF1", "NIGHT"), seed=questions)
	outcomes = compare(history, (lambda _: rules, lambda _: node), questions)
	assert {
		"auth 200",
		"auth 403",
		"auth 409",
		"auth 401",
		"auth 400",
		"assert 200",
		"assert 409",
	} <= outcomes.keys()
	assert {"heartbeat 204", "stream 200", "stream 403", "stream 409", "auth 503"} <= outcomes.keys()


def test_a_difference_is_found(edge):
	"""The comparison is no formality: one row that differs by one field is seen."""
	tvs = somebody()
	rows = entries(tvs)
	rules, node = Rules(rows), edge(rows)
	rules.rows["TV-000001"] = structs.replace(rules.rows["TV-000001"], play_seconds=3599)
	with pytest.raises(AssertionError, match=r"^question \d+, "):
		compare(History(tvs, MASTERS, "south", NOW), (lambda _: rules, lambda _: node), 4000)
