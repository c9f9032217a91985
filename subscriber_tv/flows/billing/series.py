"""The gapless invoice series of TV Settings, and who writes which.

A naming series is locked from the insert of an invoice to its commit: two writers of one series wait for each other
at every invoice. So a writer borrows a series for as long as it works, and there are as many writers as series.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import frappe

from subscriber_tv.flows.billing.lock import named_lock

LOOK_AGAIN = 0.5  # seconds; a chunk of payers takes minutes


def series_names() -> list[str]:
	"""The series of TV Settings in their order; empty when ERPNext is to choose."""
	return [row.series for row in frappe.get_cached_doc("TV Settings").invoice_series]


def default_series() -> str | None:
	"""The first series of TV Settings; None leaves the choice to ERPNext."""
	return next(iter(series_names()), None)


def writers() -> int:
	"""How many chunks can write at the same time: one a series, and one when ERPNext chooses."""
	return len(series_names()) or 1


@contextmanager
def borrowed_series(wait: float) -> Iterator[tuple[bool, str | None]]:
	"""A series that nobody else borrows until the block ends: (True, series); (False, None) after `wait` seconds.

	The series is None when TV Settings lists none; even then there is one writer at a time. It is given back when
	the process dies.
	"""
	until = time.monotonic() + wait
	while True:
		for series in series_names() or [None]:
			with named_lock(f"series {series or ''}") as held:
				if held:
					yield True, series
					return
		if time.monotonic() >= until:
			yield False, None
			return
		time.sleep(LOOK_AGAIN)
