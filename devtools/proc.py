"""Processes: run one to its end, keep one in the background, find it again, end it with all its children."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from devtools.paths import shared, state
from devtools.say import Problem, step, tail

KEPT_VARIABLES = (
	"HOME",
	"USER",
	"LOGNAME",
	"PATH",
	"TMPDIR",
	"XDG_CACHE_HOME",
	"SSL_CERT_FILE",
	"SSL_CERT_DIR",
	"REQUESTS_CA_BUNDLE",
	"CURL_CA_BUNDLE",
	"NODE_EXTRA_CA_CERTS",
)
KEPT_PREFIXES = ("PIP_", "UV_", "npm_config_", "NPM_CONFIG_")
PROXY_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


def clean_env(**extra: str) -> dict[str, str]:
	"""An environment that holds nothing of the caller's but where home, tools and package registries are."""
	env = {
		key: value
		for key, value in os.environ.items()
		if key in KEPT_VARIABLES or key.startswith(KEPT_PREFIXES) or key.lower() in PROXY_VARIABLES
	}
	# Compiled files speed up every start after the first, and leave the clone as it is.
	compiled = str(shared() / "pycache")
	env.update({"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "PYTHONPYCACHEPREFIX": compiled})
	env.update(extra)
	return env


def run(
	command: Sequence[str | Path],
	*,
	log: Path | None = None,
	env: Mapping[str, str] | None = None,
	cwd: Path | None = None,
	timeout: float | None = None,
	stdin: object = subprocess.DEVNULL,
	heartbeat: str = "",
) -> int:
	"""Run to the end in a process group of its own and return the exit code.

	Output is appended to `log`. `heartbeat` names the work in a line every 30 seconds, with the last line of
	the log. Whatever ends the wait early (time-out, Ctrl-C) ends the whole group.
	"""
	out = open(log, "ab") if log else None
	process = subprocess.Popen(
		[str(part) for part in command],
		stdin=stdin,
		stdout=out or subprocess.DEVNULL,
		stderr=subprocess.STDOUT,
		env=dict(env if env is not None else clean_env()),
		cwd=cwd,
		start_new_session=True,
	)
	try:
		return _wait(process, timeout, heartbeat, log)
	finally:
		_end_group(process.pid)
		process.poll()
		if out:
			out.close()


def must(command: Sequence[str | Path], *, what: str, log: Path, **options) -> None:
	"""As `run`, but anything other than success is a Problem that shows the end of the log."""
	code = run(command, log=log, **options)
	if code:
		tail(log)
		raise Problem(f"{what} failed (exit code {code}); the whole log is {log}")


def capture(command: Sequence[str | Path], *, timeout: float = 30, **options) -> str | None:
	"""Standard output of a short command, or None when it cannot be run or fails."""
	options.setdefault("env", clean_env())
	try:
		done = subprocess.run(
			[str(part) for part in command],
			stdin=subprocess.DEVNULL,
			stdout=subprocess.PIPE,
			stderr=subprocess.DEVNULL,
			timeout=timeout,
			**options,
		)
	except (OSError, subprocess.TimeoutExpired):
		return None
	return done.stdout.decode(errors="replace") if done.returncode == 0 else None


def _wait(process: subprocess.Popen, timeout: float | None, heartbeat: str, log: Path | None) -> int:
	began = time.monotonic()
	while True:
		left = None if timeout is None else timeout - (time.monotonic() - began)
		if left is not None and left <= 0:
			step(f"{heartbeat or process.args[0]}: stopped after {timeout:.0f} s")
			return 124
		try:
			return process.wait(min(30, left) if left is not None else 30)
		except subprocess.TimeoutExpired:
			if heartbeat:
				step(f"{heartbeat} … {time.monotonic() - began:.0f} s  {last_line(log)}")


def last_line(log: Path | None) -> str:
	"""What a log says last, short enough for one line of a terminal."""
	if log is None or not log.exists():
		return ""
	lines = log.read_bytes()[-2000:].decode(errors="replace").replace("\r", "\n").split("\n")
	return next((line.strip() for line in reversed(lines) if line.strip()), "")[-80:]


class Daemon:
	"""A background process known by a pid file. A number that now belongs to another process is not ours."""

	def __init__(self, name: str, folder: Path | None = None) -> None:
		self.name = name
		self.folder = folder or state() / "run"
		self.folder.mkdir(parents=True, exist_ok=True)
		self.pid_file = self.folder / f"{name}.pid"
		self.log = self.folder / f"{name}.log"

	def pid(self) -> int | None:
		"""Number of the living process that the file speaks of, or None."""
		try:
			known = json.loads(self.pid_file.read_text())
		except (OSError, ValueError):
			return None
		return known["pid"] if start_time(known["pid"]) == known["start"] else None

	def start(
		self, command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
	) -> int:
		"""Start in a session of its own, output to the log beside the pid file."""
		with open(self.log, "ab") as out:
			process = subprocess.Popen(
				[str(part) for part in command],
				stdin=subprocess.DEVNULL,
				stdout=out,
				stderr=subprocess.STDOUT,
				env=dict(env if env is not None else clean_env()),
				cwd=cwd,
				start_new_session=True,
			)
		self.pid_file.write_text(json.dumps({"pid": process.pid, "start": start_time(process.pid)}))
		return process.pid

	def wait_until(self, ready: Callable[[], bool], *, seconds: float = 60) -> None:
		"""Return once `ready()` holds; a Problem with the end of the log when it never does."""
		deadline = time.monotonic() + seconds
		while time.monotonic() < deadline:
			if ready():
				return
			if self.pid() is None:
				break
			time.sleep(0.1)
		tail(self.log)
		self.stop()
		raise Problem(f"{self.name} did not come up; its log is {self.log}")

	def stop(self, *, patience: float = 20) -> bool:
		"""End the process and everything it started; True when there was something to end."""
		pid = self.pid()
		self.pid_file.unlink(missing_ok=True)
		if pid is None:
			return False
		_end_group(pid, patience=patience)
		return True


def start_time(pid: int) -> str | None:
	"""When the kernel started this process, in its own ticks; None when it does not live."""
	fields = _stat(pid)
	return None if not fields or fields[0] == "Z" else fields[19]


def _stat(pid: int | str) -> list[str]:
	"""Fields of /proc/<pid>/stat from the state on: 0 state, 2 process group, 19 start time."""
	try:
		return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
	except OSError:
		return []


def _group_lives(pgid: int) -> bool:
	for entry in Path("/proc").iterdir():
		fields = _stat(entry.name) if entry.name.isdigit() else []
		if fields and fields[2] == str(pgid) and fields[0] != "Z":
			return True
	return False


def _end_group(pgid: int, *, patience: float = 10) -> None:
	for number, wait in ((signal.SIGTERM, patience), (signal.SIGKILL, 5)):
		if not _group_lives(pgid):
			break
		with contextlib.suppress(ProcessLookupError):
			os.killpg(pgid, number)
		deadline = time.monotonic() + wait
		while time.monotonic() < deadline and _group_lives(pgid):
			time.sleep(0.05)
	with contextlib.suppress(ChildProcessError):
		os.waitpid(pgid, os.WNOHANG)


def free_port() -> int:
	"""A loopback port nobody listens on now."""
	with socket.socket() as probe:
		probe.bind(("127.0.0.1", 0))
		return probe.getsockname()[1]


def listening(port: int) -> bool:
	with contextlib.closing(socket.socket()) as probe:
		probe.settimeout(0.5)
		return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def lock(name: str, *, common: bool = False, waiting: str = "") -> Iterator[None]:
	"""Hold a named lock, of this clone or (`common`) of all clones. The kernel frees it when we die."""
	folder = (shared() if common else state()) / "locks"
	folder.mkdir(parents=True, exist_ok=True)
	with open(folder / name, "w") as handle:
		try:
			fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
		except BlockingIOError:
			step(waiting or f"waiting for another ./dev that holds {name}")
			fcntl.flock(handle, fcntl.LOCK_EX)
		yield
