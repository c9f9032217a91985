"""Sends refused and waiting orders again, now, under their own keys."""

import time
from collections.abc import Sequence

import frappe
from frappe.utils import now_datetime

from subscriber_tv.core.provisioning import orders
from subscriber_tv.flows.provisioning.claim import lock_subjects
from subscriber_tv.flows.provisioning.platforms import DOCTYPE
from subscriber_tv.flows.provisioning.wake import wake
from subscriber_tv.flows.provisioning.write_orders import ORDER

REPLAYABLE = (orders.FAILED, orders.PENDING)


def replay(names: Sequence[str]) -> int:
	"""Make these orders due now; how many could be. One that was replaced, is under way or done stays as it is."""
	asked = frappe.get_all(ORDER, {"name": ("in", list(names) or [""])}, ["name", "subject_row"], limit=0)
	lock_subjects([row.subject_row for row in asked], skip=False)
	table = frappe.qb.DocType(ORDER)
	rows = (
		frappe.qb.from_(table)
		.select(table.name, table.platform)
		.where(table.name.isin([row.name for row in asked] or [""]) & table.state.isin(REPLAYABLE))
		.for_update()
		.run(as_dict=True)
	)
	if not rows:
		return 0
	values = {
		"state": orders.PENDING,
		"due": int(time.time()),
		"next_try": now_datetime(),
		"settled_at": None,
	}
	frappe.db.set_value(ORDER, {"name": ("in", [row.name for row in rows])}, values)
	platforms = {row.platform for row in rows}
	frappe.db.set_value(
		DOCTYPE, {"name": ("in", sorted(platforms))}, "paused_until", 0, update_modified=False
	)
	wake(platforms)
	return len(rows)
