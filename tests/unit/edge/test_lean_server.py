"""The lean server's main process takes its address, also from workers that a killed one left behind."""

import errno
import socket
import threading

import pytest

from subscriber_tv.edge.lean import server


@pytest.fixture
def held():
	"""An address that somebody listens at."""
	with socket.create_server(("127.0.0.1", 0)) as listening:
		yield listening


def test_an_address_that_orphans_hold_is_waited_for(held):
	port = held.getsockname()[1]
	threading.Timer(0.3, held.close).start()
	with server.listen("127.0.0.1", port) as listening:
		assert listening.getsockname()[1] == port


def test_an_address_that_stays_taken_is_an_error(held, monkeypatch):
	monkeypatch.setattr(server, "ORPHANS", 0.2)
	with pytest.raises(OSError) as found:
		server.listen("127.0.0.1", held.getsockname()[1])
	assert found.value.errno == errno.EADDRINUSE


def test_any_other_error_is_said_at_once():
	with pytest.raises(OSError) as found:
		server.listen("192.0.2.1", 0)
	assert found.value.errno == errno.EADDRNOTAVAIL
