"""The message broker for real: Mosquitto with the configuration we ship, TLS, our access list and our passwords."""

import pytest
from mqtt_sets import FAR, ONE, TWO, Raw, Set, connect, publisher

from subscriber_tv.core.mqtt import topics
from subscriber_tv.tests.mosquitto import Mosquitto, program


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
	if program() is None:
		pytest.skip("needs mosquitto")
	found = Mosquitto(tmp_path_factory.mktemp("broker"), (ONE, TWO, FAR))
	yield found
	found.stop()


@pytest.fixture
def app(broker):
	connection = publisher(broker)
	assert connection.wait_connected(10), broker.log()
	yield connection
	connection.close()


@pytest.fixture
def listener(broker):
	users = broker.users
	found = connect(broker, users.listener, broker.app_password, topics.of_all_tvs(broker.operator))
	assert found.wait_connected(10), broker.log()
	yield found
	found.close()


@pytest.fixture
def tv(broker):
	"""Makes TVs that are on; they go at the end."""
	made = []

	def make(member, **more) -> Set:
		found = Set(broker, member, **more)
		made.append(found)
		assert found.ear.start(), broker.log()
		return found

	yield make
	for found in made:
		found.ear.stop()


@pytest.fixture
def raw(broker):
	made = []

	def make(*args, **kwargs) -> Raw:
		made.append(Raw(broker, *args, **kwargs))
		return made[-1]

	yield make
	for found in made:
		found.close()
