"""The file drop: whole files or none, numbered, acknowledged."""

import json

import pytest

from subscriber_tv.adapters.provisioning import NotHeld
from subscriber_tv.adapters.provisioning_file import FilePlatform
from subscriber_tv.core.provisioning.message import BadAnswer, Message
from subscriber_tv.core.provisioning.orders import OK, REFUSED, RETRY, WAITING


def order(subject: str = "TV-0001", number: int = 1) -> Message:
	return Message(f"key-{subject}-{number}", "Device", subject, number, "Grant", ("BASE",))


@pytest.fixture
def drop(tmp_path):
	return FilePlatform(tmp_path / "drop", acknowledge_seconds=3600)


def lines(*found: dict, end: int | None = None) -> str:
	rows = [json.dumps(one) for one in (*found, {"end": len(found) if end is None else end})]
	return "\n".join(rows) + "\n"


def test_a_batch_is_one_whole_file_with_its_number(tmp_path, drop):
	outcomes = drop.send([order("TV-0001"), order("TV-0002")], 17)
	assert {(one.result, one.retry_after) for one in outcomes} == {(WAITING, 3600)}
	(path,) = (tmp_path / "drop").iterdir()
	assert path.name == "orders-0000000017.jsonl"
	rows = [json.loads(line) for line in path.read_text().splitlines()]
	assert [row["subject"] for row in rows[:-1]] == ["TV-0001", "TV-0002"]
	assert rows[-1] == {"end": 2}


def test_the_same_batch_again_is_the_same_file(tmp_path, drop):
	drop.send([order()], 1)
	before = (tmp_path / "drop/orders-0000000001.jsonl").read_bytes()
	drop.send([order()], 1)
	assert [path.read_bytes() for path in (tmp_path / "drop").iterdir()] == [before]


def test_a_full_disk_leaves_no_half_file(tmp_path, drop, monkeypatch):
	def full(*_args):
		raise OSError(28, "No space left on device")

	monkeypatch.setattr("os.fsync", full)
	(outcome,) = drop.send([order()], 1)
	assert (outcome.result, outcome.arrived, outcome.platform) == (RETRY, False, True)
	assert "No space left" in outcome.text
	assert list((tmp_path / "drop").iterdir()) == []


def test_an_acknowledgement_is_read_once_it_is_whole(tmp_path, drop):
	drop.send([order("TV-0001"), order("TV-0002")], 3)
	path = tmp_path / "drop/orders-0000000003.ack.jsonl"
	whole = lines(
		{"order": "key-TV-0001-1", "result": "done"},
		{"order": "key-TV-0002-1", "result": "refused", "text": "unknown TV"},
	)
	for cut in range(len(whole)):
		path.write_text(whole[:cut])
		assert list(drop.acknowledged()) == []
	path.write_text(whole)
	((batch, outcomes),) = drop.acknowledged()
	assert batch == 3
	assert {key: (one.result, one.text) for key, one in outcomes.items()} == {
		"key-TV-0001-1": (OK, ""),
		"key-TV-0002-1": (REFUSED, "unknown TV"),
	}
	drop.settle(3)
	drop.settle(3)
	assert list(drop.acknowledged()) == []
	assert {path.name for path in (tmp_path / "drop/settled").iterdir()} == {
		"orders-0000000003.jsonl",
		"orders-0000000003.ack.jsonl",
	}


def test_an_acknowledgement_that_cannot_be_read_is_set_aside_and_holds_nobody_up(tmp_path, drop):
	drop.send([order()], 1)
	drop.send([order("TV-0002")], 2)
	(tmp_path / "drop/orders-0000000001.ack.jsonl").write_text(lines({"order": "x", "result": "perhaps"}))
	(tmp_path / "drop/orders-0000000002.ack.jsonl").write_text(
		lines({"order": "key-TV-0002-1", "result": "duplicate"})
	)
	assert [batch for batch, _outcomes in drop.acknowledged()] == [2]
	assert (tmp_path / "drop/orders-0000000001.ack.bad").exists()


def test_holdings_are_read_from_a_whole_file(tmp_path, drop):
	with pytest.raises(NotHeld):
		drop.as_of("Device")
	with pytest.raises(NotHeld):
		list(drop.holdings("Device"))
	(tmp_path / "drop").mkdir()
	path = tmp_path / "drop/holdings-device.jsonl"
	path.write_text('{"subject": "TV-0001"}\n')
	with pytest.raises(NotHeld, match="not complete"):
		list(drop.holdings("Device"))
	path.write_text(lines({"subject": "TV-0001", "entitlements": ["BASE"], "sequence": 4}))
	(held,) = drop.holdings("Device")
	assert (held.subject, held.entitlements, held.sequence) == ("TV-0001", ("BASE",), 4)
	assert drop.as_of("Device") == int(path.stat().st_mtime)
	path.write_text(lines({"subject": "TV-0001"}, end=2))
	with pytest.raises(BadAnswer, match="promises 2"):
		list(drop.holdings("Device"))
