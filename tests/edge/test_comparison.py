"""An edge tells the ERP, and nobody else, what it holds."""

import json
import time
import urllib.error
import urllib.request

import msgspec
import pytest
from edge_process import EdgeProcess, eventually, free_port
from feed_publisher import OFFER, SECRET, Publisher, Rights

from subscriber_tv.core.activation import compare, feed


@pytest.fixture(scope="module")
def running(tmp_path_factory):
	rights = Rights()
	for number in range(1, 301):
		rights.set_state(f"HOTEL-{number:06}", "Active")
	server, port = Publisher(rights), free_port()
	edge = EdgeProcess(tmp_path_factory.mktemp("edge"), rights, server.url, METRICS_PORT=str(port))
	eventually(lambda: edge.health()["rows"] == 300)
	yield rights, edge, port
	edge.stop()
	server.stop()


def ask(port, path, question, secret=SECRET, signed=None, body=None):
	"""Status and document of the answer."""
	body = json.dumps(question).encode() if body is None else body
	header = feed.authorization(secret, signed or path, int(time.time()), method="POST", body=body)
	request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, {"Authorization": header})
	try:
		with urllib.request.urlopen(request, timeout=10) as response:
			return response.status, json.loads(response.read())
	except urllib.error.HTTPError as error:
		return error.code, json.loads(error.read())


def test_an_edge_holds_what_was_published(running):
	rights, _, port = running
	status, document = ask(port, compare.SLICES_PATH, {"slices": 64})
	theirs = msgspec.convert(document, compare.Slices)
	ours = compare.Sums(64)
	for entry in rights.rows.values():
		if entry.kind == feed.DEVICE:
			ours.add(entry.subject, compare.packed(entry))
	assert status == 200 and theirs.seq == rights.seq and sum(theirs.counts) == 300
	assert compare.unequal(ours, theirs) == []
	assert theirs.offers == {OFFER.name: rights.rows[OFFER.name].document_hash}


def test_a_slice_is_listed(running):
	rights, _, port = running
	status, document = ask(port, compare.ROWS_PATH, {"slices": 64, "of": [3, 9]})
	listed = msgspec.convert(document, compare.Rows)
	expected = {
		compare.Line(serial, entry.seq, compare.fingerprint(compare.packed(entry)))
		for serial, entry in rights.rows.items()
		if entry.kind == feed.DEVICE and compare.slice_of(serial, 64) in (3, 9)
	}
	assert status == 200 and listed.complete and set(listed.rows) == expected and expected


@pytest.mark.parametrize(
	("path", "changes", "status"),
	[
		(compare.SLICES_PATH, {"secret": b"another secret"}, 401),
		(compare.SLICES_PATH, {"signed": compare.ROWS_PATH}, 401),
		(compare.SLICES_PATH, {"body": b"{}"}, 400),
		(compare.SLICES_PATH, {"body": b'{"slices":0}'}, 400),
		(compare.SLICES_PATH, {"body": b'{"slices":99999999}'}, 400),
		("/compare/other", {}, 404),
		("/v1/auth", {}, 404),
	],
)
def test_who_may_not_ask(running, path, changes, status):
	_, _, port = running
	assert ask(port, path, {"slices": 64}, **changes)[0] == status


def test_tvs_do_not_reach_it(running):
	_, edge, _ = running
	assert edge.post(compare.SLICES_PATH, {"slices": 64})[0] == 404
