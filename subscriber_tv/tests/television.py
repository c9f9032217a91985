"""A television for tests of the desk: it speaks protocol v1 by the book and says what it was answered, byte for byte."""

import json
import os
import time

from subscriber_tv.core.activation import lineage, parental
from subscriber_tv.core.devices import challenge, jws, mac, requests, wire
from subscriber_tv.flows.activation import keys
from subscriber_tv.flows.activation.auth import assertion, auth, heartbeat, stream
from subscriber_tv.flows.activation.enrol import enrol
from subscriber_tv.flows.activation.token import token

NETWORK = "203.0.113.7"


def spelled(document: dict) -> bytes:
	return json.dumps(document, separators=(",", ":")).encode()


def new_nonce() -> str:
	return jws.b64url(os.urandom(16))


class TV:
	"""A serial, a key of its own (or a secret, where the model has no key store), and a count per node."""

	def __init__(self, serial: str, *, small: bool = False):
		self.serial = serial
		self.secret = jws.b64url(os.urandom(32)) if small else ""
		self.signer = jws.Signer(jws.new_key())
		self.counts: dict[str, int] = {}
		self.parts = mac.binding(f"CHIP-{serial}", "", "Test", "1.0")
		self.device_code = ""
		self.line: tuple[str, ...] = ()
		"""What its next assertion tells of its last questions."""

	@property
	def thumbprint(self) -> str:
		return wire.key_fingerprint(self.secret) if self.secret else self.signer.kid

	# questions

	def enrolment(self, now: int | None = None) -> bytes:
		said = {"serial": self.serial, "f": self.parts, "firmware": "1.0", "model": "Test"}
		if self.secret:
			return spelled({**said, "key": self.thumbprint})
		chal = challenge.make(keys.masters(), requests.DESK, self.serial, now or int(time.time()))
		point = {axis: self.signer.jwk[axis] for axis in "xy"}
		claims = {"aud": requests.DESK, "chal": chal, **said, **point}
		return spelled({"a": self.signer.sign(jws.ENROLMENT, spelled(claims))})

	def poll_body(self) -> bytes:
		asked = {"grant_type": requests.DEVICE_CODE, "device_code": self.device_code}
		if self.secret:
			return spelled({**asked, "credential": self.secret})
		claims = {"aud": requests.DESK, "device_code": self.device_code}
		return spelled({**asked, "a": self.signer.sign(jws.TOKEN, spelled(claims))})

	def _counted(self, audience: str, nonce: str = "") -> dict[str, str]:
		self.counts[audience] = self.counts.get(audience, 0) + 1
		epoch, nonce = str(keys.masters().current), nonce or new_nonce()
		return {"e": epoch, "c": str(self.counts[audience]), "n": nonce}

	def key(self) -> str:
		"""Its key in the newest epoch, as it is given."""
		return jws.b64url(self._key())

	def _key(self) -> bytes:
		return keys.masters().newest(self.serial, self.thumbprint)

	def question(self, audience: str = requests.DESK, nonce: str = "") -> bytes:
		fields = {**self._counted(audience, nonce), "f": self.parts}
		m = mac.of_auth(self._key(), audience, self.serial, *fields.values())
		return spelled({"d": self.serial, **fields, "m": m})

	def assertion(self, now: int, audience: str = requests.DESK) -> bytes:
		fields = self._counted(audience)
		chal = challenge.make(keys.masters(), audience, self.serial, now)
		claims = {"c": fields["c"], "chal": chal, "d": self.serial, "f": self.parts, "n": fields["n"]}
		if self.line:
			claims["l"] = lineage.spell(self.line)
		if self.secret:
			return spelled({**claims, "credential": self.secret})
		return spelled({"a": self.signer.sign(jws.ASSERTION, spelled({"aud": audience, **claims}))})

	def beat(self, audience: str = requests.DESK, **told: str) -> bytes:
		fields = self._counted(audience)
		m = mac.of_heartbeat(self._key(), audience, self.serial, *fields.values(), told.items())
		return spelled({"d": self.serial, **fields, "m": m, **told})

	def slot(
		self, operation: str, channel: str, name: str, audience: str = requests.DESK, pin: str = ""
	) -> bytes:
		fields = self._counted(audience)
		asked = {"o": operation, "ch": channel, "sid": name}
		if pin:
			known = parental.verifier(self.serial, pin)
			asked["pin"] = parental.proof(known, audience, self.serial, fields["c"], fields["n"])
		m = mac.of_stream(self._key(), audience, self.serial, *fields.values(), *asked.values())
		return spelled({"d": self.serial, **fields, "m": m, **asked})

	# asked of the desk's flows

	def enrol(self, now: int | None = None) -> wire.Answer:
		answer = enrol(self.enrolment(now), NETWORK, now or int(time.time()))
		if answer.status == 200:
			self.device_code = json.loads(answer.body)["device_code"]
		return answer

	def code(self) -> str:
		answer = self.enrol()
		assert answer.status == 200, answer.body
		return json.loads(answer.body)["user_code"]

	def poll(self, now: int | None = None) -> wire.Answer:
		return token(self.poll_body(), NETWORK, now or int(time.time()))

	def power_on(self, now: int | None = None) -> wire.Answer:
		return auth(self.question(), NETWORK, now or int(time.time()))

	def prove(self, now: int | None = None) -> wire.Answer:
		now = now or int(time.time())
		return assertion(self.assertion(now), NETWORK, now)

	def heartbeat(self, **told: str) -> wire.Answer:
		return heartbeat(self.beat(**told), NETWORK, int(time.time()))

	def stream(self, operation: str, channel: str, name: str, pin: str = "") -> wire.Answer:
		return stream(self.slot(operation, channel, name, pin=pin), NETWORK, int(time.time()))

	def decision(self) -> str:
		return decision_in(self.power_on())

	def asks(self):
		"""One question, to be asked as often as one likes: it is counted once, and answered alike."""
		body, now = self.question(), int(time.time())
		return lambda: decision_in(auth(body, NETWORK, now))


def decision_in(answer: wire.Answer) -> str:
	said = json.loads(answer.body)
	return said.get("code") or said.get("decision") or said["error"]
