"""Is the projection's file what was written, and ours? Checked when the edge starts, every hour, and when somebody met damage.

A file that is not sound goes on serving the rows that are whole, while a fresh one is filled beside it and then takes
its place (sync.py): no TV is told anything wrong meanwhile, and who cannot be told anything is asked to come back.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from contextlib import closing, suppress
from pathlib import Path

from subscriber_tv.core.devices.jws import Verifier
from subscriber_tv.edge import runtime
from subscriber_tv.edge.config import Config
from subscriber_tv.edge.store import Damaged, Store

log = logging.getLogger("subscriber_tv.edge")

# Seconds from one check to the next; and to the next try when the file could not be read.
_EVERY = 3600.0
_SOON = 10.0


def run(config: Config, stop: threading.Event) -> None:
	"""Check until `stop` is set."""
	# Everybody else comes first.
	with suppress(OSError):
		os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
	pause = 0.0
	while not stop.wait(pause):
		is_known = runtime.is_damaged() or look(config.database, Verifier(config.public_keys()))
		pause = _EVERY if is_known else _SOON


def look(database: Path, verifier: Verifier) -> bool:
	"""Check the file now and note what was found; False when it is damaged, or cannot be read at present."""
	try:
		with closing(Store(database, read_only=True)) as store:
			store.check_origin(verifier)
			store.check()
			runtime.note_sound(store.inode)
	except Damaged as error:
		if runtime.note_damage():
			log.error(
				"%s is damaged (%s): rows that are whole are served until it is replaced", database, error
			)
		return False
	except (sqlite3.Error, OSError) as error:
		log.warning("%s could not be checked: %s", database, error)
		return False
	return True
