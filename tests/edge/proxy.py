"""The proxy of deploy/edge/nginx.conf, run before an edge: its own folder, a certificate of the day, loopback."""

import datetime
import ipaddress
import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from edge_process import REPOSITORY, free_port

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/sbin")
SITE = REPOSITORY / "deploy" / "edge" / "nginx.conf"
# What /etc/nginx/nginx.conf is to the site.
AROUND = """\
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
	client_body_temp_path {folder}/body;
	proxy_temp_path {folder}/proxy;
	fastcgi_temp_path {folder}/fastcgi;
	uwsgi_temp_path {folder}/uwsgi;
	scgi_temp_path {folder}/scgi;
{site}
}}
"""


class Proxy:
	"""nginx with the project's own site, before whatever listens on a port."""

	def __init__(self, folder: Path, upstream: int):
		self.port = free_port()
		self.folder = folder
		_certificate(folder)
		changes = {
			"listen 443 ssl;": f"listen 127.0.0.1:{self.port} ssl;",
			"listen [::]:443 ssl;": "",
			"server 127.0.0.1:8090;": f"server 127.0.0.1:{upstream};",
			"/etc/ssl/tv-south.pem": f"{folder}/cert.pem",
			"/etc/ssl/private/tv-south.key": f"{folder}/key.pem",
		}
		site = SITE.read_text()
		for text, ours in changes.items():
			assert site.count(text) == 1, f"{SITE} no longer says {text}"
			site = site.replace(text, ours)
		config = folder / "nginx.conf"
		config.write_text(AROUND.format(folder=folder, site=site))
		with (folder / "nginx.log").open("wb") as log:
			command = [NGINX, "-p", folder, "-e", folder / "error.log", "-c", config]
			self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
		self._wait()

	def stop(self) -> None:
		self._process.terminate()
		self._process.wait(10)

	def connect(
		self, source: str = "127.0.0.1", seconds: float = 10.0, **limits: ssl.TLSVersion
	) -> ssl.SSLSocket:
		"""A TV's connection, from whichever loopback address."""
		context = ssl.create_default_context(cafile=str(self.folder / "cert.pem"))
		context.check_hostname = False
		for name, version in limits.items():
			setattr(context, name, version)
		plain = socket.create_connection(("127.0.0.1", self.port), seconds, (source, 0))
		return context.wrap_socket(plain)

	def raw(self, data: bytes, source: str = "127.0.0.1", seconds: float = 3.0) -> bytes:
		"""Whatever comes back for these bytes until the proxy hangs up or nothing more comes."""
		received = b""
		with self.connect(source, seconds) as connection:
			try:
				connection.sendall(data)
				while chunk := connection.recv(65_536):
					received += chunk
					connection.settimeout(0.5)
			except (TimeoutError, ConnectionError, ssl.SSLError):
				pass
		return received

	def post(
		self, path: str, body: bytes, *lines: bytes, source: str = "127.0.0.1", seconds: float = 3.0
	) -> bytes:
		"""What comes back for a question."""
		head = [b"POST %b HTTP/1.1" % path.encode(), b"Host: tv", b"Content-Type: application/json"]
		head += [b"Connection: close", b"Content-Length: %d" % len(body)]
		return self.raw(b"\r\n".join([*head, *lines, b"", body]), source, seconds)

	def _wait(self) -> None:
		deadline = time.monotonic() + 10
		while True:
			try:
				self.connect().close()
				return
			except OSError:
				said = (self.folder / "nginx.log").read_text()
				assert self._process.poll() is None and time.monotonic() < deadline, said
				time.sleep(0.1)


def _certificate(folder: Path) -> None:
	key = ec.generate_private_key(ec.SECP256R1())
	name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tv-south.example.com")])
	now = datetime.datetime.now(datetime.timezone.utc)
	names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
	made = (
		x509.CertificateBuilder()
		.subject_name(name)
		.issuer_name(name)
		.public_key(key.public_key())
		.serial_number(1)
		.not_valid_before(now - datetime.timedelta(days=1))
		.not_valid_after(now + datetime.timedelta(days=1))
		.add_extension(names, critical=False)
		.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
		.sign(key, hashes.SHA256())
	)
	(folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
	pem = key.private_bytes(
		serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
	)
	(folder / "key.pem").write_bytes(pem)
