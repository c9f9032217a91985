"""Asks for a platform's orders to be compared with all rights, from the beginning."""

from collections.abc import Iterable

import frappe

from subscriber_tv.core.provisioning.desired import DEVICE
from subscriber_tv.flows.provisioning.platforms import DOCTYPE

BEGINNING = f"{DEVICE}/"
"""Value of `check_from`: kind and name of the last one compared. Empty: nothing to compare."""


def ask_for_check(platforms: Iterable[str]) -> None:
	"""Note it on the platforms; the next round of work begins. One that is under way begins anew."""
	names = list(platforms)
	if names:
		frappe.db.set_value(DOCTYPE, {"name": ("in", names)}, "check_from", BEGINNING, update_modified=False)
