"""What the processes of one edge share while it runs: a folder that the main process makes and its workers find.

It holds the secret of the tickets, the workers' boards of numbers, a copy of the configuration that was found good, and
what is known of the projection's file: which one was checked and found sound, and whether somebody met damage in it.
"""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

FOLDER = "SUBSCRIBER_TV_EDGE_RUNTIME"
MAIN = "SUBSCRIBER_TV_EDGE_MAIN"
_SECRET = "slot-secret"
_SOUND = "sound"
_DAMAGED = "damaged"
_LOOK = 0.5


def make_folder() -> Path:
	"""The folder of this run: systemd's, emptied, or a new one. Workers started from now on learn of it."""
	given = os.environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
	made = Path(given) if given else Path(tempfile.mkdtemp(prefix="subscriber-tv-edge-"))
	for left in (*made.glob("*.board"), *(made / name for name in (_SECRET, _SOUND, _DAMAGED))):
		left.unlink(missing_ok=True)
	with os.fdopen(os.open(made / _SECRET, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as file:
		file.write(secrets.token_bytes(32))
	os.environ[FOLDER] = str(made)
	os.environ[MAIN] = str(os.getpid())
	return made


def folder() -> Path | None:
	"""The folder of the run that this process belongs to; None outside of one."""
	given = os.environ.get(FOLDER)
	return Path(given) if given else None


def slot_secret(shared: Path | None) -> bytes:
	"""The secret of the tickets: one for all workers, so that a TV may come back to any of them."""
	return (shared / _SECRET).read_bytes() if shared else secrets.token_bytes(32)


def is_sound(file: int) -> bool:
	"""Whether the file of this inode was checked and nobody met damage since. Outside of a run nobody checks: yes."""
	shared = folder()
	if not shared:
		return True
	try:
		return (shared / _SOUND).read_text() == str(file)
	except OSError:
		return False


def note_sound(file: int) -> None:
	"""The file of this inode was checked just now."""
	if shared := folder():
		(shared / _DAMAGED).unlink(missing_ok=True)
		(shared / _SOUND).write_text(str(file))


def is_damaged() -> bool:
	"""Whether somebody met damage in the file that is in use."""
	shared = folder()
	return bool(shared) and (shared / _DAMAGED).exists()


def note_damage() -> bool:
	"""The file in use is damaged; True when nobody had noted that yet."""
	shared = folder()
	if not shared or is_damaged():
		return False
	(shared / _SOUND).unlink(missing_ok=True)
	(shared / _DAMAGED).touch()
	return True


def end_with_main() -> None:
	"""End this worker when its main process is killed: nobody would keep its file up to date, or ever stop it."""
	main = os.environ.get(MAIN)
	if main and main != str(os.getpid()):
		threading.Thread(target=_watch, args=(int(main),), name="main-watch", daemon=True).start()
		# By then all is answered and written. Python's own end would pull the rug from under the server's threads.
		atexit.register(_end)


def _watch(main: int) -> None:
	# It may be gone already, before this worker was ready.
	while os.getppid() == main:
		time.sleep(_LOOK)
	os.kill(os.getpid(), signal.SIGTERM)


def _end() -> None:
	logging.shutdown()
	sys.stdout.flush()
	sys.stderr.flush()
	os._exit(0)
