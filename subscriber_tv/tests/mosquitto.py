"""A real Mosquitto on loopback, with the configuration we ship and the files we write, for tests. Needs no Frappe."""

from __future__ import annotations

import datetime
import ipaddress
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from subscriber_tv.core.mqtt import broker_files, topics

OPERATOR = "my-operator"
SECRET = b"a secret of the tests"
APP_PASSWORD = "the app's own"
SHIPPED = Path(__file__).resolve().parents[2] / "deploy" / "mosquitto" / "mosquitto.conf"


def program() -> str | None:
	"""Where Mosquitto is, if it is installed; Debian hides servers from ordinary users."""
	return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/local/sbin:/usr/sbin:/sbin")


class Mosquitto:
	"""A broker that knows these TVs. `start` and `stop` may be repeated; the port stays."""

	def __init__(
		self,
		folder: Path,
		members: Iterable[broker_files.Member] = (),
		*,
		operator: str = OPERATOR,
		secret: bytes = SECRET,
		app_password: str = APP_PASSWORD,
		prefix: str = "tv-app",
	):
		self.folder, self.operator, self.secret, self.app_password = folder, operator, secret, app_password
		self.users = broker_files.services(prefix)
		self.port = _free_port()
		self.ca = str(folder / "ca.pem")
		_write_certificates(folder)
		self.tell(members)
		self._process: subprocess.Popen | None = None
		self.start()

	def tell(self, members: Iterable[broker_files.Member]) -> None:
		"""Write the access list and the passwords of these TVs; `reload` makes a running broker read them."""
		members = list(members)
		(self.folder / "acl").write_text(broker_files.mosquitto_acl(self.operator, self.users, members))
		words = {one.serial: broker_files.tv_password(self.secret, one.serial) for one in members}
		words |= {user: self.app_password for user in (self.users.publisher, self.users.listener)}
		(self.folder / "passwords").write_text(broker_files.mosquitto_passwords(words, self.secret))

	def start(self) -> None:
		config = SHIPPED.read_text().replace("log_dest syslog", f"log_dest file {self.folder}/log")
		config = config.replace("listener 8883", f"listener {self.port} 127.0.0.1")
		for place in ("/etc/mosquitto/tv/", "/var/lib/mosquitto/"):
			config = config.replace(place, f"{self.folder}/")
		# It drops root's rights otherwise, and could not read a folder of ours.
		config += f"user {pwd.getpwuid(os.getuid()).pw_name}\n"
		(self.folder / "mosquitto.conf").write_text(config)
		self._process = subprocess.Popen([program(), "-c", str(self.folder / "mosquitto.conf")])
		_until(self._listening, self.log)

	def stop(self) -> None:
		if self._process:
			self._process.terminate()
			self._process.wait(10)
			self._process = None

	def freeze(self) -> None:
		"""Let it read nothing any more, while its connections stay."""
		self._process.send_signal(signal.SIGSTOP)

	def kill(self) -> None:
		"""End it as a power cut does."""
		self._process.kill()
		self._process.wait(10)
		self._process = None

	def log(self) -> str:
		path = self.folder / "log"
		return path.read_text() if path.exists() else ""

	def password(self, serial: str) -> str:
		return broker_files.tv_password(self.secret, serial)

	def topic(self, kind: str, name: str, leaf: str) -> str:
		return topics.build(self.operator, kind, name, leaf)

	def _listening(self) -> bool:
		if self._process.poll() is not None:
			raise AssertionError(f"Mosquitto ended: {self.log()}")
		with socket.socket() as probe:
			return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _until(what, log, seconds: float = 10.0) -> None:
	deadline = time.monotonic() + seconds
	while not what():
		if time.monotonic() > deadline:
			raise AssertionError(f"not so after {seconds} s: {log()}")
		time.sleep(0.02)


def _free_port() -> int:
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		return probe.getsockname()[1]


def _write_certificates(folder: Path) -> None:
	"""A certificate for 127.0.0.1 that is its own authority."""
	key = ec.generate_private_key(ec.SECP256R1())
	name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
	now = datetime.datetime.now(datetime.timezone.utc)
	address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
	certificate = (
		x509.CertificateBuilder()
		.subject_name(name)
		.issuer_name(name)
		.public_key(key.public_key())
		.serial_number(x509.random_serial_number())
		.not_valid_before(now - datetime.timedelta(hours=1))
		.not_valid_after(now + datetime.timedelta(days=1))
		.add_extension(address, critical=False)
		.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
		.sign(key, hashes.SHA256())
	)
	pem = certificate.public_bytes(serialization.Encoding.PEM)
	(folder / "ca.pem").write_bytes(pem)
	(folder / "server.pem").write_bytes(pem)
	(folder / "server.key").write_bytes(
		key.private_bytes(
			serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
		)
	)
