"""Runs a unit that takes records, and runs it again when it loses a conflict with another."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

import frappe

ATTEMPTS = 5
LONGEST_PAUSE = 0.5  # seconds

Result = TypeVar("Result")


def repeated(unit: Callable[[], Result]) -> Result:
	"""The result of `unit`; on a deadlock or lock timeout the transaction is rolled back and the whole unit run anew.

	Call it before anything is written. The last conflict is raised when five tries were not enough.
	"""
	for attempt in range(1, ATTEMPTS + 1):
		try:
			return unit()
		except (frappe.QueryDeadlockError, frappe.QueryTimeoutError):
			frappe.db.rollback()
			if attempt == ATTEMPTS:
				raise
			frappe.clear_messages()
			time.sleep(random.uniform(0, LONGEST_PAUSE * attempt / ATTEMPTS))
	raise AssertionError("unreachable")
