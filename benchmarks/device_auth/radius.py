"""FreeRADIUS from Debian as the yardstick: PAP against the same users, in a folder and at a port of its own.

Three ways: as Debian configures it with its SQL module turned on; with nothing in the configuration that PAP does not
need, which no distribution ships but is the most it can give; and so with its users in a file, in memory. The SQL is
SQLite, as the edge's. What is installed is read, never changed.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.device_auth import radius_load, servers
from benchmarks.device_auth.fleet import Fleet
from benchmarks.device_auth.servers import Server

SQL, BARE, USERS = "radius sql", "radius sql bare", "radius users file"
KINDS = (SQL, BARE, USERS)
_INSTALLED = Path("/etc/freeradius/3.0")
_MODULE = Path("/usr/lib/freeradius/rlm_sql_sqlite.so")
_LISTEN = """
	listen {{
		type = auth
		ipaddr = 127.0.0.1
		port = {port}
	}}
"""
_CLIENT = """
client benchmark {{
	ipaddr = 127.0.0.1
	secret = "{secret}"
	require_message_authenticator = no
}}
"""
_BARE = """
prefix = /usr
libdir = /usr/lib/freeradius
logdir = {folder}
run_dir = {folder}
confdir = {folder}
pidfile = {folder}/radiusd.pid
max_request_time = 30
cleanup_delay = 5
max_requests = 16384
hostname_lookups = no
log {{
	destination = files
	file = {folder}/radius.log
	auth = no
}}
security {{
	user = {user}
	group = {group}
	max_attributes = 200
	reject_delay = 0
	status_server = no
}}
proxy_requests = no
thread pool {{
	start_servers = 5
	max_servers = 32
	min_spare_servers = 3
	max_spare_servers = 10
	max_requests_per_server = 0
}}
{client}
modules {{
	pap {{
	}}
	{store}
}}
server default {{
	{listen}
	authorize {{
		{name}
		pap
	}}
	authenticate {{
		Auth-Type PAP {{
			pap
		}}
	}}
}}
"""
_BARE_SQL = """sql {{
		dialect = "sqlite"
		driver = "rlm_sql_sqlite"
		sqlite {{
			filename = "{database}"
			busy_timeout = 200
		}}
		radius_db = "radius"
		sql_user_name = "%{{User-Name}}"
		read_groups = no
		read_profiles = no
		pool {{
			start = 5
			min = 3
			max = 32
			spare = 10
			uses = 0
			lifetime = 0
			idle_timeout = 0
		}}
		authorize_check_query = "SELECT id, username, attribute, value, op FROM radcheck WHERE username = '%{{SQL-User-Name}}' ORDER BY id"
		authorize_reply_query = "SELECT id, username, attribute, value, op FROM radreply WHERE username = '%{{SQL-User-Name}}' ORDER BY id"
	}}"""
_USERS_FILE = """files {{
		usersfile = {users}
	}}"""


def missing() -> str:
	"""Why FreeRADIUS cannot be measured; "" when it can."""
	if not _program():
		return "it is not installed (apt-get install freeradius)"
	if not _MODULE.exists():
		return f"its module for SQLite is missing ({_MODULE})"
	return "" if os.access(_INSTALLED / "radiusd.conf", os.R_OK) else f"{_INSTALLED} may not be read"


@contextmanager
def running(folder: Path, fleet: Fleet, core: int, kind: str) -> Iterator[Server]:
	"""FreeRADIUS with every TV as a user. Errors: servers.DidNotStart."""
	place = folder / kind.replace(" ", "-")
	place.mkdir(mode=0o700)
	users = ((fleet.serial(number), fleet.thumbprint(number)) for number in range(len(fleet)))
	port = _free_port()
	if kind == SQL:
		_as_debian(place, port, _database(place / "users.sqlite", users))
	elif kind == BARE:
		_bare(place, port, "sql", _BARE_SQL.format(database=_database(place / "users.sqlite", users)))
	else:
		_bare(place, port, "files", _USERS_FILE.format(users=_users_file(place / "everybody", users)))
	command = [_program(), "-f", "-d", str(place), "-n", "radiusd"]
	up = _first_question(port, fleet)
	server = servers.start(kind, command, port, place, [core], up)
	try:
		yield server
	finally:
		server.stop()
		shutil.rmtree(place, ignore_errors=True)


def _as_debian(place: Path, port: int, database: Path) -> None:
	"""Debian's configuration with SQL turned on. EAP is left out, because it wants certificates, and so is the row that
	its SQL module would write for each answer."""
	shutil.copytree(_INSTALLED, place, symlinks=True, dirs_exist_ok=True)
	for file in ("sites-enabled/inner-tunnel", "mods-enabled/eap"):
		(place / file).unlink(missing_ok=True)
	main = (place / "radiusd.conf").read_text()
	for name, value in (("raddbdir", place), ("logdir", place), ("run_dir", place)):
		main = re.sub(rf"(?m)^{name} = .*$", f"{name} = {value}", main)
	main = re.sub(r"(?m)^\s*user = freerad$", f"\tuser = {getpass.getuser()}", main)
	main = re.sub(r"(?m)^\s*group = freerad$", f"\tgroup = {_group()}", main)
	(place / "radiusd.conf").write_text(main)
	(place / "clients.conf").write_text(_CLIENT.format(secret=radius_load.SECRET.decode()))
	site = (place / "sites-available/default").read_text()
	rules = site[site.index("\nauthorize {") :]
	rules = re.sub(r"(?m)^\teap \{[^}]*\}", "", rules)
	rules = re.sub(r"(?m)^\s*eap$", "", rules)
	before, post_auth, after = rules.partition("\npost-auth {")
	rules = before + post_auth + re.sub(r"(?m)^\s*-sql$", "", after)
	(place / "sites-enabled/default").unlink()
	text = f"server default {{\n{_LISTEN.format(port=port)}\n{rules}"
	(place / "sites-enabled/default").write_text(text)
	sql = (place / "mods-available/sql").read_text()
	sql = re.sub(r"(?m)^\s*driver = .*$", '\tdriver = "rlm_sql_sqlite"', sql)
	sql = re.sub(r"(?m)^\s*dialect = .*$", '\tdialect = "sqlite"', sql)
	sql = re.sub(r"(?m)^\s*filename = .*$", f'\t\tfilename = "{database}"', sql)
	sql = re.sub(r"(?m)^\s*bootstrap = .*$", "", sql)
	(place / "mods-enabled/sql").write_text(sql)


def _bare(place: Path, port: int, name: str, store: str) -> None:
	client = _CLIENT.format(secret=radius_load.SECRET.decode())
	names = {"user": getpass.getuser(), "group": _group(), "client": client, "name": name, "store": store}
	(place / "radiusd.conf").write_text(_BARE.format(folder=place, listen=_LISTEN.format(port=port), **names))


def _database(path: Path, users: Iterator[tuple[str, str]]) -> Path:
	"""Debian's tables and indexes with a password for each user."""
	schema = (_INSTALLED / "mods-config/sql/main/sqlite/schema.sql").read_text()
	with contextlib.closing(sqlite3.connect(path)) as file:
		file.executescript(schema)
		rows = ((name, "Cleartext-Password", ":=", password) for name, password in users)
		file.executemany("insert into radcheck (username, attribute, op, value) values (?, ?, ?, ?)", rows)
		file.commit()
	return path


def _users_file(path: Path, users: Iterator[tuple[str, str]]) -> Path:
	with path.open("w") as output:
		output.writelines(f'{name} Cleartext-Password := "{password}"\n' for name, password in users)
	return path


def _first_question(port: int, fleet: Fleet):
	"""What tells whether a first user is accepted."""

	def is_up() -> bool:
		authenticator = os.urandom(16)
		asked = radius_load.packet(1, fleet.serial(0), fleet.thumbprint(0), authenticator)
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
			probe.settimeout(1)
			probe.connect(("127.0.0.1", port))
			probe.send(asked)
			return radius_load.is_accepted(probe.recv(4096), authenticator)
		return False

	return is_up


def _free_port() -> int:
	with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
		probe.bind(("127.0.0.1", 0))
		return probe.getsockname()[1]


def _program() -> str:
	return (
		shutil.which("freeradius") or shutil.which("freeradius", path="/usr/local/sbin:/usr/sbin:/sbin") or ""
	)


def _group() -> str:
	return subprocess.run(["id", "-gn"], capture_output=True, text=True, check=True).stdout.strip()
