"""The operator and the edge that the tests of a module share."""

from importlib.util import find_spec

import pytest
from edge_process import EdgeProcess, eventually
from feed_publisher import Publisher, Rights

from subscriber_tv.core.activation.feed import DEVICE


@pytest.fixture(scope="module")
def rights():
	found = Rights()
	for serial, state in (
		("HOTEL-000001", "Active"),
		("HOTEL-000002", "Suspended"),
		("HOTEL-000003", "Cancelled"),
		("HOTEL-000004", "Awaiting Activation"),
	):
		found.set_state(serial, state)
	return found


@pytest.fixture(scope="module")
def publisher(rights):
	server = Publisher(rights, limit=2)
	yield server
	server.stop()


SERVERS = (
	"lean",
	pytest.param("granian", marks=pytest.mark.skipif(not find_spec("granian"), reason="granian is not here")),
)


@pytest.fixture(scope="module", params=SERVERS)
def server(request):
	"""What an edge may serve with; the answers are the same."""
	return request.param


@pytest.fixture(scope="module")
def edge(rights, publisher, server, tmp_path_factory):
	"""The edge that the tests of a module share; it has taken its snapshot."""
	process = EdgeProcess(tmp_path_factory.mktemp("edge"), rights, publisher.url, SERVER=server)
	# The operator may have more of them by now: the same one serves for each server.
	eventually(lambda: process.health()["rows"] == sum(row.kind == DEVICE for row in rights.rows.values()))
	yield process
	process.stop()
