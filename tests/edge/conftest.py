"""The operator and the edge that the tests of a module share."""

import pytest
from edge_process import EdgeProcess, eventually
from feed_publisher import Publisher, Rights


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


@pytest.fixture(scope="module")
def edge(rights, publisher, tmp_path_factory):
	"""The edge that the tests of a module share; it has taken its snapshot."""
	process = EdgeProcess(tmp_path_factory.mktemp("edge"), rights, publisher.url)
	eventually(lambda: process.health()["rows"] == 4)
	yield process
	process.stop()
