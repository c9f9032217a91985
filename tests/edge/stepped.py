"""A clock that can be stepped under edges that run, and time that passes faster than it does."""

import os
import time
from contextlib import contextmanager
from pathlib import Path

# `step` is what somebody did to the clock; `leap` is time that really passed, so it shows on every clock.
_SITE = """
import os, time
_time, _gettime, _folder = time.time, time.clock_gettime, os.environ["STEPPED_CLOCK"]
def _seconds(name):
	with open(os.path.join(_folder, name)) as file:
		return float(file.read() or 0)
time.time = lambda: _time() + _seconds("step") + _seconds("leap")
def _stepped_gettime(which):
	return _gettime(which) + (_seconds("leap") if which == time.CLOCK_BOOTTIME else 0)
time.clock_gettime = _stepped_gettime
"""


class SteppedClock:
	"""What edges that are started within `stepped` believe; the clock of this process stays as it is."""

	def __init__(self, folder: Path):
		self._folder = folder
		self.leapt = 0.0
		(folder / "sitecustomize.py").write_text(_SITE)
		self._write("step", 0.0)
		self._write("leap", 0.0)

	def step(self, seconds: float) -> None:
		"""Set the clock so many seconds ahead of what it should be, or behind."""
		self._write("step", seconds)

	def now(self) -> float:
		"""What time it really is, leaps included."""
		return time.time() + self.leapt

	def leap_to(self, moment: float) -> None:
		"""Let the time pass until then; nothing happens when it is later already."""
		self.leapt = max(self.leapt, moment - time.time())
		self._write("leap", self.leapt)

	def _write(self, name: str, seconds: float) -> None:
		fresh = self._folder / f"{name}.new"
		fresh.write_text(repr(seconds))
		fresh.replace(self._folder / name)


@contextmanager
def stepped(folder: Path):
	"""Edges started within have this clock."""
	folder.mkdir(exist_ok=True)
	given = {"STEPPED_CLOCK": str(folder)}
	given["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))
	before = {name: os.environ.get(name) for name in given}
	os.environ.update(given)
	try:
		yield SteppedClock(folder)
	finally:
		for name, value in before.items():
			if value is None:
				os.environ.pop(name, None)
			else:
				os.environ[name] = value
