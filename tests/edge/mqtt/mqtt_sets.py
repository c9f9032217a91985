"""TVs, the app and clients that hold themselves to no rule, at one real broker."""

import threading
import time

from paho.mqtt.client import Client, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from subscriber_tv.adapters.mqtt import Broker, Connection
from subscriber_tv.core.devices import jws
from subscriber_tv.core.mqtt import payloads
from subscriber_tv.core.mqtt.broker_files import Member
from subscriber_tv.simulator.mqtt import Ear, Place

ONE, TWO, FAR = (
	Member("HOTEL-000001", "TVL-1", "TV32"),
	Member("HOTEL-000002", "TVL-1", "TV43"),
	Member("CLINIC-00001", "TVL-2", "TV32"),
)
SIGNER = jws.Signer(jws.new_key())
VERIFIER = jws.Verifier(jws.jwks(SIGNER))


def eventually(check, seconds=10.0):
	"""The first true value of `check()`, or a failure after so many seconds."""
	deadline = time.monotonic() + seconds
	while time.monotonic() < deadline:
		if found := check():
			return found
		time.sleep(0.02)
	raise AssertionError(f"did not happen within {seconds} s")


def connect(broker, user, password, filters=(), **more) -> Connection:
	return Connection(Broker("127.0.0.1", broker.port, user, password, ca=broker.ca), filters, **more)


def publisher(broker, **more) -> Connection:
	return connect(broker, broker.users.publisher, broker.app_password, **more)


class Set:
	"""A simulated TV that counts what it does."""

	def __init__(self, broker, member, *, version=10**6, **more):
		self.asked: list[float] = []
		self.obeyed: list[payloads.Command] = []
		self.version = version
		place = Place(
			"127.0.0.1",
			broker.port,
			broker.operator,
			more.pop("password", None) or broker.password(member.serial),
			site=member.site,
			group=member.group,
			ca=broker.ca,
		)
		self.ear = Ear(
			member.serial,
			place,
			version=lambda: self.version,
			verifier=lambda: VERIFIER,
			ask=lambda: self.asked.append(time.time()),
			obey=lambda command: self.obeyed.append(command) or True,
			will_delay=0,
			**more,
		)


class Raw:
	"""A client that holds itself to no rule: what a rooted TV could try with its own password."""

	def __init__(self, broker, user, password=None, *, client_id=None, will=None):
		self.messages: list[tuple[str, bytes]] = []
		self.published: dict[int, int] = {}
		self.reason = None
		self.ended: list[int] = []
		self._done = threading.Event()
		self.client = Client(CallbackAPIVersion.VERSION2, client_id=client_id or user, protocol=MQTTv5)
		self.client.tls_set(broker.ca)
		self.client.username_pw_set(user, password or broker.password(user))
		if will:
			self.client.will_set(*will, qos=1, retain=True)
		self.client.on_connect = self._connected
		self.client.on_disconnect = lambda _c, _d, _f, reason, _p: self.ended.append(reason.value)
		self.client.on_message = lambda _c, _d, found: self.messages.append((found.topic, found.payload))
		self.client.on_publish = lambda _c, _d, mid, reason, _p: self.published.__setitem__(mid, reason.value)
		self.client.connect("127.0.0.1", broker.port)
		self.client.loop_start()
		assert self._done.wait(10)

	def _connected(self, _client, _data, _flags, reason, _properties):
		self.reason = reason.value
		self._done.set()

	def publish(self, topic, payload=b"x", retain=False) -> int:
		"""The reason code with which the broker answered."""
		mid = self.client.publish(topic, payload, 1, retain).mid
		return eventually(lambda: (self.published.get(mid),) if mid in self.published else None)[0]

	def close(self):
		self.client.disconnect()
		self.client.loop_stop()


def say(app, topic, payload, retain=False, within=60.0):
	assert app.publish(topic, payload, within=within, retain=retain, key=topic)
	return eventually(app.outcomes)


def order(to, **changes) -> bytes:
	now = int(time.time())
	values = {"iss": "op", "id": "TVC-1", "to": to, "iat": now, "exp": now + 600, "do": "identify"}
	return payloads.sign_command(payloads.Command(**(values | changes)), SIGNER)


def settle(seconds=0.6):
	"""Long enough for a message that must not come to have come."""
	time.sleep(seconds)
