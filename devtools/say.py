"""What the person at the terminal reads."""

import sys
import time
from pathlib import Path

_START = time.monotonic()


class Problem(Exception):
	"""Something the person can put right; the message says how. Shown without a stack trace."""


def step(text: str) -> None:
	"""One line of progress, with the seconds since the command began."""
	print(f"[{time.monotonic() - _START:5.0f} s] {text}", flush=True)


def line(text: str = "") -> None:
	print(text, flush=True)


def tail(log: Path, lines: int = 40) -> None:
	"""The end of a log, on the error stream."""
	if not log.exists():
		return
	sys.stdout.flush()
	print(f"---- the end of {log}", file=sys.stderr)
	for text in log.read_text(errors="replace").splitlines()[-lines:]:
		print(f"  {text}", file=sys.stderr)
	print("----", file=sys.stderr, flush=True)
