"""MariaDB, Redis and Mosquitto of this clone alone: loopback ports, no passwords that matter, data in the cache."""

import contextlib
import getpass
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devtools import packages, paths, proc
from devtools.proc import Daemon, free_port, listening
from devtools.say import Problem, step

# Nothing here outlives the cache, so durability is traded for speed.
MARIADB_OPTIONS = (
	"--bind-address=127.0.0.1",
	"--character-set-server=utf8mb4",
	"--collation-server=utf8mb4_unicode_ci",
	"--innodb-flush-log-at-trx-commit=0",
	"--innodb-doublewrite=0",
	"--innodb-buffer-pool-size=512M",
	"--sync-binlog=0",
	"--skip-log-bin",
	"--max-connections=300",
	"--max-allowed-packet=64M",
)
MOSQUITTO_CONFIG = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence false
"""


@dataclass(frozen=True)
class Services:
	"""Where the running services answer."""

	mariadb_socket: str
	mariadb_port: int
	redis_port: int
	mqtt_port: int


@contextlib.contextmanager
def running() -> Iterator[Services]:
	"""The services for as long as the caller needs them; the last one to leave turns them off."""
	holder = _holder_file(os.getpid())
	with proc.lock("services"):
		found = start()
		holder.write_text(proc.start_time(os.getpid()) or "")
	try:
		yield found
	finally:
		with proc.lock("services"):
			holder.unlink(missing_ok=True)
			if not _holders():
				stop()


def start() -> Services:
	"""Start what is not running; what runs already and is ours is used as it is."""
	memory = paths.state() / "services.json"
	if memory.exists() and all(Daemon(name).pid() for name in ("mariadb", "redis", "mosquitto")):
		return Services(**json.loads(memory.read_text()))
	stop()
	step("starting MariaDB, Redis and Mosquitto")
	found = Services(str(paths.socket_path("my.sock")), free_port(), free_port(), free_port())
	_start_mariadb(found)
	_start_redis(found)
	_start_mosquitto(found)
	memory.write_text(json.dumps(found.__dict__))
	return found


def stop() -> bool:
	"""End the services; True when something was running."""
	(paths.state() / "services.json").unlink(missing_ok=True)
	return any([Daemon(name).stop() for name in ("mosquitto", "redis", "mariadb")])


def _holder_file(pid: int) -> Path:
	folder = paths.state() / "holders"
	folder.mkdir(exist_ok=True)
	return folder / str(pid)


def _holders() -> list[Path]:
	alive = []
	for path in (paths.state() / "holders").glob("*"):
		if path.read_text() == (proc.start_time(int(path.name)) or "gone"):
			alive.append(path)
		else:
			path.unlink(missing_ok=True)
	return alive


def _start_mariadb(found: Services) -> None:
	server = packages.need_program("mariadbd")
	data = paths.state() / "mariadb"
	if not (data / "complete").exists():
		shutil.rmtree(data, ignore_errors=True)
		_make_database_folder(data)
	daemon = Daemon("mariadb")
	own = (f"--datadir={data}", f"--socket={found.mariadb_socket}", f"--port={found.mariadb_port}")
	pid_file = f"--pid-file={daemon.folder / 'mariadbd.pid'}"
	user = f"--user={getpass.getuser()}"
	daemon.start([server, "--no-defaults", user, *own, pid_file, *MARIADB_OPTIONS])
	daemon.wait_until(lambda: sql("select 1", found) is not None, seconds=90)


def _make_database_folder(data: Path) -> None:
	"""A fresh data folder whose `root` is whoever connects over the socket as this Unix user: nothing to keep secret."""
	script = packages.need_program("mariadb-install-db")
	user = getpass.getuser()
	command = [
		script,
		"--no-defaults",
		f"--datadir={data}",
		f"--user={user}",
		"--auth-root-authentication-method=socket",
		f"--auth-root-socket-user={user}",
		"--skip-test-db",
	]
	proc.must(command, what="preparing MariaDB", log=paths.logs() / "mariadb-install.log", timeout=180)
	(data / "complete").touch()


def _start_redis(found: Services) -> None:
	server = packages.need_program("redis-server")
	command = [
		server,
		"--port",
		str(found.redis_port),
		"--bind",
		"127.0.0.1",
		"--save",
		"",
		"--appendonly",
		"no",
	]
	daemon = Daemon("redis")
	daemon.start(command, cwd=daemon.folder)
	daemon.wait_until(lambda: listening(found.redis_port))


def _start_mosquitto(found: Services) -> None:
	server = packages.need_program("mosquitto")
	daemon = Daemon("mosquitto")
	config = daemon.folder / "mosquitto.conf"
	config.write_text(MOSQUITTO_CONFIG.format(port=found.mqtt_port))
	daemon.start([server, "-c", config])
	daemon.wait_until(lambda: listening(found.mqtt_port))


def mariadb_client(name: str, found: Services) -> list[str]:
	"""Start of a command line for `mariadb` or `mariadb-dump` as the database's owner."""
	program = packages.program(name) or packages.need_program(name.replace("mariadb", "mysql"))
	return [program, "--no-defaults", f"--socket={found.mariadb_socket}", f"--user={root_login()}"]


def root_login() -> str:
	"""The database's owner bears the name of the Unix user who made it; the socket plug-in checks that."""
	return getpass.getuser()


def sql(statement: str, found: Services) -> str | None:
	"""Run one statement as root; its output, or None when the server refuses."""
	return proc.capture([*mariadb_client("mariadb", found), "--batch", "-N", "-e", statement], timeout=120)


def must_sql(statement: str, found: Services) -> str:
	"""As `sql`; a refusal is a Problem."""
	answer = sql(statement, found)
	if answer is None:
		raise Problem(f"MariaDB refused: {statement.split(' identified ')[0]}")
	return answer
