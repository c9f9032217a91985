"""The lock of a payer: whoever writes invoices for him holds it, so facts read under it cannot grow old.

MariaDB's default isolation is repeatable read. The snapshot of a transaction is taken by its first ordinary read;
a locking read takes none. So the lock is the first statement after a rollback: what is read afterwards includes
everything the previous holder of the lock has committed.

A *named* lock is of another kind: it belongs to the connection, outlives commits, and is gone the moment the process
dies. It keeps workers out of each other's way (one chunk, one series); what is right never rests on it.
"""

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import frappe
from frappe import _

ATTEMPTS = 5
LONGEST_PAUSE = 0.5  # seconds before the last try; the lock itself waits in the database

Result = TypeVar("Result")


class AlreadyClaimed(frappe.ValidationError):
	"""Another invoice holds the claim on a period. Under the lock: someone else was faster, look again."""


class CreditMoved(frappe.ValidationError):
	"""Somebody used or changed a payment or credit note while it was about to be used: look again."""


CONFLICTS = (frappe.QueryDeadlockError, frappe.QueryTimeoutError, AlreadyClaimed, CreditMoved)


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


@contextmanager
def named_lock(name: str) -> Iterator[bool]:
	"""Hold the lock `name` of this site for the block; False when another connection holds it now."""
	key = _lock_key(name)
	held = bool(frappe.db.sql("select get_lock(%s, 0)", key)[0][0])
	try:
		yield held
	finally:
		if held:
			frappe.db.sql("select release_lock(%s)", key)


def is_held(name: str) -> bool:
	"""Whether some living connection holds the lock `name` of this site."""
	return frappe.db.sql("select is_used_lock(%s)", _lock_key(name))[0][0] is not None


def _lock_key(name: str) -> str:
	"""Names of locks are the server's, not the database's, and at most 64 characters long."""
	return "tv-" + hashlib.sha256(f"{frappe.conf.db_name}|{name}".encode()).hexdigest()[:40]
