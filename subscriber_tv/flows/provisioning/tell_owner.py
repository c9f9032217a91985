"""Assigns what a platform refuses to the person responsible for it, and tells of a platform that does not answer.

Runs by itself beside the sending: no order waits for an assignment.
"""

from collections.abc import Iterable

import frappe
from frappe import _
from frappe.desk.form import assign_to
from frappe.utils import add_to_date, now_datetime

from subscriber_tv.core.provisioning import orders
from subscriber_tv.flows.provisioning.platforms import DOCTYPE

ORDER = "TV Provisioning Order"

MOST_ASSIGNED = 20
"""Beyond so many refused orders of a platform at once, one assignment of the platform itself stands for the others."""

SILENT_MINUTES = 60


def tell_owners() -> None:
	"""Each minute: assign newly refused orders, and platforms that have been silent for an hour or did not say what they hold."""
	for platform in frappe.get_all(
		DOCTYPE, {"enabled": 1}, ["name", "responsible", "failing_since", "comparison_error"], limit=0
	):
		_assign_refused(platform)
		since = add_to_date(now_datetime(), minutes=-SILENT_MINUTES)
		if platform.failing_since and platform.failing_since < since:
			_assign(
				DOCTYPE,
				platform.name,
				platform.responsible,
				_("{0} has not answered for an hour.").format(platform.name),
			)
		elif platform.comparison_error:
			_assign(
				DOCTYPE,
				platform.name,
				platform.responsible,
				_("{0} did not say what it holds.").format(platform.name),
			)


def close_assignments(doctype: str, names: Iterable[str]) -> None:
	"""Close what was assigned about these documents: it has settled itself. Asks no permission: a publisher may be anybody."""
	names = list(names)
	if not names:
		return
	task = frappe.qb.DocType("ToDo")
	open_ones = (task.reference_type == doctype) & task.reference_name.isin(names) & (task.status == "Open")
	frappe.qb.update(task).set(task.status, "Closed").where(open_ones).run()
	frappe.db.set_value(doctype, {"name": ("in", names)}, {"_assign": None}, update_modified=False)


def _assign_refused(platform) -> None:
	refused = {"platform": platform.name, "state": orders.FAILED}
	new = frappe.get_all(
		ORDER,
		refused | {"responsible": ("is", "not set")},
		["name", "subject", "last_error"],
		order_by="creation",
		limit=1000,
	)
	if not new:
		return
	number = frappe.db.count(ORDER, refused)
	room = max(0, MOST_ASSIGNED - (number - len(new)))
	for order in new[:room]:
		text = _("{0} refuses the order for {1}: {2}").format(
			platform.name, order.subject, order.last_error or ""
		)
		_assign(ORDER, order.name, platform.responsible, frappe.utils.escape_html(text))
	if len(new) > room:
		text = _("{0} refuses {1} orders. The list of failed orders shows them.").format(
			platform.name, number
		)
		_assign(DOCTYPE, platform.name, platform.responsible, text)
	names = [order.name for order in new]
	frappe.db.set_value(
		ORDER, {"name": ("in", names)}, "responsible", platform.responsible, update_modified=False
	)


def _assign(doctype: str, name: str, user: str, text: str) -> None:
	task = {"reference_type": doctype, "reference_name": name, "status": "Open"}
	if not frappe.db.exists("ToDo", task):
		assign_to.add({"doctype": doctype, "name": name, "assign_to": [user], "description": text})
