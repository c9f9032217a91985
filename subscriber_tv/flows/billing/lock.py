"""The lock of a payer: whoever writes invoices for him holds it, so facts read under it cannot grow old.

MariaDB's default isolation is repeatable read. The snapshot of a transaction is taken by its first ordinary read;
a locking read takes none. So the lock is the first statement after a rollback: what is read afterwards includes
everything the previous holder of the lock has committed.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

import frappe
from frappe import _

ATTEMPTS = 5
LONGEST_PAUSE = 0.5  # seconds before the last try; the lock itself waits in the database

Result = TypeVar("Result")


class AlreadyClaimed(frappe.ValidationError):
	"""Another invoice holds the claim on a period. Under the lock: someone else was faster, look again."""


CONFLICTS = (frappe.QueryDeadlockError, frappe.QueryTimeoutError, AlreadyClaimed)


def payer_lock(payer: str) -> None:
	"""Take the lock of `payer` (a Customer) until the transaction ends.

	Rolls back first: call it before anything is written. DoesNotExistError when there is no such customer.
	"""
	# The rollback is what makes the lock the transaction's first statement; nothing of the caller is lost when
	# the rule above is kept.
	frappe.db.rollback()
	customer = frappe.qb.DocType("Customer")
	found = frappe.qb.from_(customer).select(customer.name).where(customer.name == payer).for_update().run()
	if not found:
		raise frappe.DoesNotExistError(_("Customer {0} does not exist.").format(payer))


def under_payer_lock(payer: str, unit: Callable[[], Result]) -> Result:
	"""Run `unit` under the lock; on a deadlock, lock timeout or lost claim run the whole unit again.

	The unit must load its facts itself, so that a second try sees what the winner of the conflict wrote. The
	caller commits. The last conflict is raised when five tries were not enough.
	"""
	for attempt in range(1, ATTEMPTS + 1):
		try:
			payer_lock(payer)
			return unit()
		except CONFLICTS:
			frappe.db.rollback()
			if attempt == ATTEMPTS:
				raise
			frappe.clear_messages()
			time.sleep(random.uniform(0, LONGEST_PAUSE * attempt / ATTEMPTS))
	raise AssertionError("unreachable")
