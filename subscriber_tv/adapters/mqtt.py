"""The one connection of a process to the message broker (MQTT 5).

Whoever publishes never waits: messages go into a bounded queue with an expiry, a thread of its own sends them, and says later
which the broker took. A lost connection is made anew with jitter; what the broker had not taken is sent again.
Knows nothing of Frappe, TVs or rights.
"""

from __future__ import annotations

import logging
import random
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from subscriber_tv.core.mqtt.payloads import MAX_PACKET
from subscriber_tv.core.mqtt.spread import backoff

log = logging.getLogger("subscriber_tv.mqtt")

TAKEN, REFUSED, EXPIRED = "taken", "refused", "expired"

QUEUE = 20_000
"""Messages that may wait for the broker; beyond it `publish` says no."""

IN_FLIGHT = 100
UNREAD = 1000
"""Messages the broker may bring before the first of them is done with (receive maximum)."""

KEPT_UNSURE = 50_000
"""Messages without a promise (QoS 0) that wait to be read; more are dropped."""

TAKEN_OVER = 0x8E
TAKEN_OVER_PAUSE = 60.0
"""Seconds: two processes under one name would otherwise throw each other out all the time."""

STEADY = 30.0
"""Seconds after which a connection counts as one that held; a shorter one is another failure, whoever ended it."""

TICK = 0.05
CONNECT_SECONDS = 5.0


@dataclass(frozen=True)
class Broker:
	"""Where the broker is and who we are there: the user name is the client id.

	:param ca: file of the authorities that may have signed the broker's certificate; empty: the system's
	:param session: seconds for which the broker keeps our subscriptions and what arrives while we are away
	"""

	host: str
	port: int
	user: str
	password: str = field(repr=False)
	tls: bool = True
	ca: str = ""
	keepalive: int = 60
	session: int = 0


@dataclass(frozen=True)
class Received:
	"""A message that came in. `mark` is for `Connection.done`."""

	topic: str
	payload: bytes
	retained: bool
	at: float
	mark: tuple[int, int, int]


@dataclass(frozen=True)
class _Message:
	topic: str
	payload: bytes
	retain: bool
	expires: float
	life: bool
	key: Hashable


class Connection:
	"""Publishes and, when there are filters, listens. Thread-safe; `close` ends its thread."""

	def __init__(
		self,
		broker: Broker,
		filters: Sequence[str] = (),
		*,
		queue: int = QUEUE,
		draw: Callable[[], float] = random.random,
	):
		self.broker = broker
		self._filters, self._queue_size, self._draw = tuple(filters), queue, draw
		self._waiting: deque[_Message] = deque()
		self._in_flight: dict[int, _Message] = {}
		self._outcomes: deque[tuple[Hashable, str]] = deque(maxlen=4 * queue)
		self._inbox: deque[Received] = deque()
		self._finished: deque[tuple[int, int, int]] = deque()
		self._lock = threading.Lock()
		self._closing = threading.Event()
		self._generation = 0
		self._pause = 0.0
		self._most = IN_FLIGHT
		self._connected = threading.Event()
		self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
		self._thread.start()

	@property
	def connected(self) -> bool:
		"""Whether the broker has accepted us, and our filters, and not gone since."""
		return self._connected.is_set()

	@property
	def generation(self) -> int:
		"""How many times the broker has accepted us."""
		return self._generation

	def wait_connected(self, seconds: float) -> bool:
		"""Whether the broker accepted us within so many seconds."""
		return self._connected.wait(seconds)

	def publish(
		self, topic: str, payload: bytes, *, within: float, retain: bool = False, key: Hashable = None
	) -> bool:
		"""Queue a message (QoS 1); False when the queue is full. Returns at once.

		:param within: seconds after which it is worthless: it is not sent later, and the broker forgets it then, unless
			it is one to keep (`retain`), which stays until it is replaced
		:param key: told back by `outcomes`; None: nobody wants to know
		"""
		if len(topic.encode()) + len(payload) > MAX_PACKET - 64:
			raise ValueError(f"{topic}: {len(payload)} bytes do not fit into a packet")
		with self._lock:
			if len(self._waiting) >= self._queue_size:
				return False
			expires = time.monotonic() + within
			self._waiting.append(_Message(topic, payload, retain, expires, not retain, key))
		return True

	def outcomes(self) -> list[tuple[Hashable, str]]:
		"""What became of messages with a key since the last call: `taken` by the broker, `refused` by it, or `expired`."""
		found = []
		while self._outcomes:
			found.append(self._outcomes.popleft())
		return found

	def received(self, most: int = 5000) -> list[Received]:
		"""Messages that came in, oldest first. Those with a promise come again until they are `done`."""
		found = []
		while self._inbox and len(found) < most:
			found.append(self._inbox.popleft())
		return found

	def done(self, messages: Sequence[Received]) -> None:
		"""These are safely written: the broker need not bring them again."""
		self._finished.extend(message.mark for message in messages if message.mark[2])

	def close(self, seconds: float = 5.0) -> None:
		"""Send what waits, for so many seconds at most, then say good-bye."""
		until = time.monotonic() + seconds
		while (
			self.connected
			and (self._waiting or self._in_flight or self._finished)
			and time.monotonic() < until
		):
			time.sleep(TICK)
		self._closing.set()
		self._thread.join(CONNECT_SECONDS + 1)

	def _run(self) -> None:
		attempt = 0
		while not self._closing.is_set():
			began = time.monotonic()
			try:
				self._stay_connected()
			except OSError as error:
				log.warning("no broker at %s:%s: %s", self.broker.host, self.broker.port, error)
			except Exception:
				log.exception("the connection to the broker broke")
			self._connected.clear()
			self._take_back()
			attempt = 0 if time.monotonic() - began >= STEADY else attempt + 1
			self._closing.wait(max(self._pause, backoff(max(0, attempt - 1), self._draw())))
			self._drop_expired()

	def _stay_connected(self) -> None:
		self._pause = 0.0
		client = self._new_client()
		client.connect(
			self.broker.host,
			self.broker.port,
			keepalive=self.broker.keepalive,
			clean_start=not self.broker.session,
			properties=_connect_properties(self.broker.session),
		)
		try:
			while not self._closing.is_set():
				if client.loop(timeout=TICK) != MQTTErrorCode.MQTT_ERR_SUCCESS:
					return
				if self.connected:
					self._acknowledge(client)
					self._send(client)
		finally:
			client.disconnect()

	def _new_client(self) -> Client:
		client = Client(
			CallbackAPIVersion.VERSION2, client_id=self.broker.user, protocol=MQTTv5, manual_ack=True
		)
		client.connect_timeout = CONNECT_SECONDS
		client.username_pw_set(self.broker.user, self.broker.password)
		if self.broker.tls:
			client.tls_set_context(ssl.create_default_context(cafile=self.broker.ca or None))
		client.on_connect, client.on_disconnect = self._accepted, self._left
		client.on_publish, client.on_message = self._published, self._came
		client.on_subscribe = self._subscribed
		client.max_inflight_messages_set(IN_FLIGHT)
		return client

	def _accepted(self, client: Client, _data, _flags, reason, properties) -> None:
		if reason.is_failure:
			log.error("the broker refuses %s: %s", self.broker.user, reason)
			return
		self._most = min(IN_FLIGHT, getattr(properties, "ReceiveMaximum", IN_FLIGHT))
		self._generation += 1
		if self._filters:
			client.subscribe([(one, 1) for one in self._filters])
		else:
			self._connected.set()
		log.info("connected to %s:%s as %s", self.broker.host, self.broker.port, self.broker.user)

	def _subscribed(self, _client, _data, _mid, reasons, _properties) -> None:
		if any(reason.is_failure for reason in reasons):
			log.error("the broker lets %s not listen: %s", self.broker.user, reasons)
		self._connected.set()

	def _left(self, _client, _data, _flags, reason, _properties) -> None:
		self._connected.clear()
		if reason.value == TAKEN_OVER:
			log.warning("another process connected as %s", self.broker.user)
			self._pause = TAKEN_OVER_PAUSE

	def _published(self, _client, _data, mid: int, reason, _properties) -> None:
		with self._lock:
			message = self._in_flight.pop(mid, None)
		if not message:
			return
		if reason.is_failure:
			log.error("the broker refuses %s: %s", message.topic, reason)
		self._tell(message, REFUSED if reason.is_failure else TAKEN)

	def _came(self, _client, _data, message: MQTTMessage) -> None:
		if not message.qos and len(self._inbox) >= KEPT_UNSURE:
			return
		mark = (self._generation, message.mid, message.qos)
		self._inbox.append(Received(message.topic, bytes(message.payload), message.retain, time.time(), mark))

	def _acknowledge(self, client: Client) -> None:
		"""In the client's own thread: TLS does not bear two."""
		while self._finished:
			made, mid, qos = self._finished.popleft()
			if made == self._generation:
				client.ack(mid, qos)

	def _send(self, client: Client) -> None:
		while True:
			with self._lock:
				if not self._waiting or len(self._in_flight) >= self._most:
					return
				message = self._waiting.popleft()
				left = message.expires - time.monotonic()
				if left > 0:
					# Under the lock: the answer must not come before we know what it answers.
					info = client.publish(
						message.topic, message.payload, 1, message.retain, _expiry(left, message.life)
					)
					self._in_flight[info.mid] = message
					continue
			self._tell(message, EXPIRED)

	def _take_back(self) -> None:
		"""What the broker had not taken waits again, first as it was; what it brought and nobody did comes again."""
		with self._lock:
			self._waiting.extendleft(reversed(self._in_flight.values()))
			self._in_flight.clear()

	def _drop_expired(self) -> None:
		now = time.monotonic()
		with self._lock:
			dead = [message for message in self._waiting if message.expires <= now]
			self._waiting = deque(message for message in self._waiting if message.expires > now)
		for message in dead:
			self._tell(message, EXPIRED)

	def _tell(self, message: _Message, outcome: str) -> None:
		if message.key is not None:
			self._outcomes.append((message.key, outcome))


def _connect_properties(session: int) -> Properties:
	found = Properties(PacketTypes.CONNECT)
	found.SessionExpiryInterval = session
	found.ReceiveMaximum = UNREAD
	found.MaximumPacketSize = MAX_PACKET
	return found


def _expiry(left: float, life: bool) -> Properties | None:
	if not life:
		return None
	found = Properties(PacketTypes.PUBLISH)
	found.MessageExpiryInterval = max(1, int(left))
	return found
