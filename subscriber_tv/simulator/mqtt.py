"""A simulated TV's ear at the message broker, and its voice: presence, telemetry, acknowledgements.

It knows nothing of leases. What it hears goes through `core.mqtt.inbox`, and all that can come of it is a question to
the edge (`ask`) or a command that the operator signed (`obey`). The broker is told, never believed.
"""

from __future__ import annotations

import heapq
import itertools
import json
import random
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from subscriber_tv.core.devices import jws
from subscriber_tv.core.mqtt import payloads, topics
from subscriber_tv.core.mqtt.inbox import Inbox
from subscriber_tv.core.mqtt.spread import backoff

RECEIVE_MAXIMUM = 10
SESSION_SECONDS = 86_400
WILL_DELAY = 30
KEEPALIVE = (120, 300)
TICK = 0.05


@dataclass(frozen=True)
class Place:
	"""Where the broker is and what this TV may hear there, as the desk told it when it was paired."""

	host: str
	port: int
	operator: str
	password: str = field(repr=False)
	site: str = ""
	group: str = ""
	tls: bool = True
	ca: str = ""

	@classmethod
	def told(cls, mqtt: dict[str, str], ca: str = "") -> Place:
		"""The place in the answer to a paired TV. KeyError, ValueError: it is none."""
		return cls(
			host=mqtt["host"],
			port=int(mqtt["port"]),
			operator=mqtt["operator"],
			password=mqtt["password"],
			site=mqtt["site"],
			group=mqtt["group"],
			tls=mqtt["tls"] != "0",
			ca=ca,
		)


class Ear:
	"""A TV's connection. `start` connects and stays connected in a thread; `stop` says good-bye, `vanish` does not.

	:param version: gives the version of the rights the TV has
	:param documents: gives the hashes of the offer documents it has
	:param verifier: gives the operator's keys
	:param ask: asks the edge, as a power-on does
	:param obey: does a command and says whether it could
	"""

	def __init__(
		self,
		serial: str,
		place: Place,
		*,
		version: Callable[[], int],
		documents: Callable[[], Collection[str]] = tuple,
		verifier: Callable[[], jws.Verifier],
		ask: Callable[[], object],
		obey: Callable[[payloads.Command], bool],
		draw: Callable[[], float] = random.random,
		will_delay: int = WILL_DELAY,
	):
		self.serial, self.place = serial, place
		self.inbox = Inbox(serial, _label(place.site), _label(place.group))
		self.refusals: list[int] = []
		"""Reason codes (MQTT 5) with which the broker refused the TV's subscriptions or connections."""
		self.connections = 0
		"""How often the broker accepted the TV."""
		self._version, self._verifier, self._ask, self._obey = version, verifier, ask, obey
		self._documents = documents
		self._draw, self._will_delay = draw, will_delay
		self._asks_at: float | None = None
		# A client is used by its own thread only; TLS does not bear two.
		self._beats: deque[bytes] = deque(maxlen=10)
		self._orders: list[tuple[float, int, payloads.Command]] = []
		self._count = itertools.count()
		self._ready = threading.Event()
		self._stopping = threading.Event()
		self._polite = True
		self._client: Client | None = None
		self._thread: threading.Thread | None = None

	def start(self, seconds: float = 10.0) -> bool:
		"""Connect; whether the broker accepted the TV within so many seconds."""
		self._thread = threading.Thread(target=self._run, name=f"ear-{self.serial}", daemon=True)
		self._thread.start()
		return self._ready.wait(seconds)

	def stop(self) -> None:
		"""Say that the TV goes, and go."""
		self._end(polite=True)

	def vanish(self) -> None:
		"""Be gone as in a power cut: the broker finds out by itself."""
		self._end(polite=False)

	def beat(self, **measures: str) -> None:
		"""Tell how the TV is (`up`, `temp`, `err`, `rssi`, `fw`, `ch`); lost while there is no connection."""
		self._beats.append(json.dumps(measures).encode())

	def _end(self, polite: bool) -> None:
		self._polite = polite
		self._stopping.set()
		if self._thread:
			self._thread.join(5)

	def _run(self) -> None:
		attempt = 0
		while not self._stopping.is_set():
			try:
				self._stay_connected()
			except OSError:
				pass
			attempt = 0 if self._ready.is_set() else attempt + 1
			self._ready.clear()
			self._wait(backoff(attempt, self._draw()))

	def _wait(self, seconds: float) -> None:
		"""Let time pass; what was heard before falls due without the broker too."""
		until = time.monotonic() + seconds
		while time.monotonic() < until and not self._stopping.wait(TICK):
			self._do_what_is_due()

	def _stay_connected(self) -> None:
		client = self._client = self._new_client()
		client.connect(
			self.place.host,
			self.place.port,
			keepalive=KEEPALIVE[0] + int(self._draw() * (KEEPALIVE[1] - KEEPALIVE[0])),
			clean_start=False,
			properties=_properties(
				PacketTypes.CONNECT,
				SessionExpiryInterval=SESSION_SECONDS,
				ReceiveMaximum=RECEIVE_MAXIMUM,
				MaximumPacketSize=payloads.MAX_PACKET,
			),
		)
		while not self._stopping.is_set():
			if client.loop(timeout=TICK) != MQTTErrorCode.MQTT_ERR_SUCCESS:
				return
			self._do_what_is_due()
			while self._beats and self._ready.is_set():
				self._say(topics.HEARTBEAT, self._beats.popleft(), qos=0)
		self._leave(client)

	def _leave(self, client: Client) -> None:
		if not self._polite:
			client.socket().close()
			return
		self._say(topics.STATE, payloads.OFFLINE, retain=True)
		until = time.monotonic() + 2
		while client.want_write() and time.monotonic() < until:
			client.loop(timeout=TICK)
		client.loop(timeout=TICK)
		client.disconnect()

	def _new_client(self) -> Client:
		client = Client(CallbackAPIVersion.VERSION2, client_id=self.serial, protocol=MQTTv5)
		client.username_pw_set(self.serial, self.place.password)
		if self.place.tls:
			client.tls_set_context(ssl.create_default_context(cafile=self.place.ca or None))
		client.will_set(
			self._topic(topics.STATE),
			payloads.OFFLINE,
			qos=1,
			retain=True,
			properties=_properties(PacketTypes.WILLMESSAGE, WillDelayInterval=self._will_delay),
		)
		client.on_connect, client.on_message, client.on_subscribe = self._accepted, self._heard, self._granted
		return client

	def _accepted(self, client: Client, _data, _flags, reason, _properties) -> None:
		if reason.is_failure:
			self.refusals.append(reason.value)
			return
		self.connections += 1
		place = self.place
		wanted = topics.heard_by(place.operator, self.serial, place.site, place.group)
		client.subscribe([(topic, 1) for topic in wanted])
		self._say(topics.STATE, payloads.ONLINE, retain=True)

	def _granted(self, _client, _data, _mid, reasons, _properties) -> None:
		self.refusals += [reason.value for reason in reasons if reason.is_failure]
		self._ready.set()

	def _heard(self, _client, _data, message: MQTTMessage) -> None:
		payload, now = bytes(message.payload), time.time()
		# On a command's topic there may be a mere hint; a token never begins with a brace.
		if payload.startswith(b"{"):
			at = self.inbox.hinted(payload, self._version(), now, self._documents())
			self._asks_at = self._asks_at if at is None else at
			return
		command = self.inbox.commanded(payload, self._verifier(), now)
		if command:
			due = self.inbox.moment_of(command, now)
			heapq.heappush(self._orders, (due, next(self._count), command))

	def _do_what_is_due(self) -> None:
		now = time.time()
		if self._asks_at is not None and self._asks_at <= now:
			self._asks_at = None
			self._ask()
		while self._orders and self._orders[0][0] <= now:
			command = heapq.heappop(self._orders)[2]
			done = self._obey(command)
			said = payloads.acknowledgement(command.id, payloads.DONE if done else payloads.REFUSED)
			self._say(topics.ACKNOWLEDGEMENT, said)

	def _say(self, leaf: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
		if self._client:
			self._client.publish(self._topic(leaf), payload, qos, retain)

	def _topic(self, leaf: str) -> str:
		return topics.build(self.place.operator, topics.DEVICE, self.serial, leaf)


def _label(name: str) -> str:
	return topics.label(name) if name else ""


def _properties(packet: int, **values: int) -> Properties:
	found = Properties(packet)
	for name, value in values.items():
		setattr(found, name, value)
	return found
