"""An edge as a process of its own, started as an operator starts it."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from feed_publisher import MASTERS, SECRET, Rights, credential

from subscriber_tv.core.devices import mac, wire
from subscriber_tv.core.devices.jws import b64url
from subscriber_tv.edge.counts import Counts
from subscriber_tv.simulator.http import Service
from subscriber_tv.simulator.tv import Tv

REPOSITORY = Path(__file__).resolve().parents[2]


def free_port() -> int:
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		return probe.getsockname()[1]


def eventually(check, seconds=10.0):
	"""The first true value of `check()`, or a failure after so many seconds."""
	deadline = time.monotonic() + seconds
	while time.monotonic() < deadline:
		if found := check():
			return found
		time.sleep(0.05)
	raise AssertionError(f"did not happen within {seconds} s")


def enrolment(serial: str) -> dict[str, str]:
	"""A TV without a key store asks for a code."""
	return {"serial": serial, "key": "A" * 43, "f": "A" * 43, "firmware": "1.0", "model": "Hotel"}


class EdgeProcess:
	"""An edge started as an operator starts it."""

	def __init__(self, folder: Path, rights: Rights, feed_url: str = "", **settings: str):
		self.port = free_port()
		self.folder = folder
		self.name = settings.get("NAME", "edge")
		self._counts: dict[str, int] = {}
		(folder / "keys.json").write_text(rights.jwks())
		(folder / "secret").write_bytes(SECRET)
		(folder / "masters.json").write_bytes(mac.write_masters(MASTERS.keys))
		given = {
			"DATABASE": str(folder / "edge.db"),
			"PUBLIC_KEY_FILE": str(folder / "keys.json"),
			"MASTERS_FILE": str(folder / "masters.json"),
			"FEED_SECRET_FILE": str(folder / "secret"),
			"FEED_URL": feed_url,
			"FEED_WAIT": "1",
			"PORT": str(self.port),
			"REQUEST_TIMEOUT": "1",
			# Tests ask more than TVs may.
			"TV_PER_MINUTE": "60000",
			"FAILURES_PER_MINUTE": "60000",
			**settings,
		}
		self._environ = {f"SUBSCRIBER_TV_EDGE_{name}": value for name, value in given.items()}
		self._log = folder / "edge.log"
		self.start()

	def start(self) -> None:
		path = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
		with self._log.open("ab") as log:
			self._process = subprocess.Popen(
				[sys.executable, "-m", "subscriber_tv.edge"],
				env={**os.environ, "PYTHONPATH": path, **self._environ},
				stdout=log,
				stderr=log,
				start_new_session=True,
			)
		eventually(self._answers, 20)

	def stop(self) -> None:
		if self._process.poll() is None:
			self._process.send_signal(signal.SIGTERM)
			try:
				self._process.wait(10)
			except subprocess.TimeoutExpired:
				os.killpg(self._process.pid, signal.SIGKILL)
				self._process.wait()

	@property
	def pid(self) -> int:
		return self._process.pid

	def workers(self) -> list[int]:
		"""The processes that answer TVs."""
		command = ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(self.pid)]
		listed = subprocess.run(command, capture_output=True, text=True).stdout
		return [int(line.split()[0]) for line in listed.splitlines() if "spawn_main" in line]

	def signal(self, number: int) -> None:
		self._process.send_signal(number)

	def wait(self) -> int:
		return self._process.wait(10)

	def kill(self) -> None:
		"""Kill it and its workers, as a power cut does."""
		os.killpg(self._process.pid, signal.SIGKILL)
		self._process.wait()

	@property
	def is_running(self) -> bool:
		return self._process.poll() is None

	def connect(self) -> socket.socket:
		return socket.create_connection(("127.0.0.1", self.port), timeout=5)

	def _seen(self, serial) -> int:
		"""The last number the edge counted of a TV: in a test, several hands hold one."""
		with closing(Counts(self.folder / "edge-counts.db")) as counts:
			return counts.seen(serial).counter

	def log(self) -> str:
		return self._log.read_text()

	def request(self, method, path, body=None, headers=None):
		"""(status, headers, body) of one request over a connection of its own."""
		connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
		try:
			connection.request(method, path, body, headers or {})
			response = connection.getresponse()
			return response.status, dict(response.getheaders()), response.read()
		finally:
			connection.close()

	def post(self, path, document, **headers):
		body = document if isinstance(document, bytes) else json.dumps(document).encode()
		return self.request("POST", path, body, {"Content-Type": "application/json", **headers})

	def question(self, serial, secret=None, number=0):
		"""The next power-on of the TV with this serial, of the model without a key store."""
		self._counts[serial] = number or max(self._counts.get(serial, 0), self._seen(serial)) + 1
		thumbprint = wire.key_fingerprint(secret or credential(serial))
		fields = {"e": "2", "c": str(self._counts[serial]), "n": b64url(os.urandom(16)), "f": "A" * 43}
		m = mac.of_auth(MASTERS.newest(serial, thumbprint), self.name, serial, *fields.values())
		return json.dumps({"d": serial, **fields, "m": m}).encode()

	def power_on(self, serial, secret=None):
		return self.post("/v1/auth", self.question(serial, secret))

	def tv(self, serial, secret=None, **arguments):
		"""A TV of this serial, switched on at this edge."""
		return Tv(serial, Service(f"http://127.0.0.1:{self.port}"), secret or credential(serial), **arguments)

	def health(self):
		return json.loads(self.request("GET", "/v1/health")[2])

	def raw(self, data: bytes, seconds: float = 5.0) -> bytes:
		"""Whatever comes back for these bytes until the edge hangs up or `seconds` pass."""
		with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
			connection.sendall(data)
			received = b""
			try:
				while chunk := connection.recv(65_536):
					received += chunk
			except TimeoutError:
				pass
			return received

	def _answers(self) -> bool:
		if self._process.poll() is not None:
			raise AssertionError(self.log())
		try:
			self.health()
		except OSError:
			return False
		return True
