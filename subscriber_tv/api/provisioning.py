"""Buttons of provisioning: send an order again, compare a platform now."""

import frappe
from frappe import _

from subscriber_tv.api import guards
from subscriber_tv.api.values import parsed
from subscriber_tv.flows.provisioning import reconcile
from subscriber_tv.flows.provisioning import replay as replay_flow
from subscriber_tv.flows.provisioning.platforms import DOCTYPE
from subscriber_tv.flows.provisioning.write_orders import ORDER

STAFF = ("TV Support", "TV Back Office", "System Manager")
AT_ONCE = 1000


@frappe.whitelist(methods=["POST"])
def replay(names: list | str) -> int:
	"""Send these orders again now, under their own keys; how many could be.

	PermissionError for other roles, or when one is an order the user may not read.
	"""
	guards.only_for(*STAFF)
	found = parsed(names)
	if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
		frappe.throw(_("names: a list of orders is expected."))
	if len(found) > AT_ONCE:
		frappe.throw(_("At most {0} orders at once.").format(AT_ONCE))
	named = {"name": ("in", found or [""])}
	there = frappe.get_all(ORDER, named, pluck="name", limit=0)
	if set(there) != set(frappe.get_list(ORDER, named, pluck="name", limit=0)):
		raise frappe.PermissionError
	return replay_flow.replay(there)


@frappe.whitelist(methods=["POST"])
def compare(platform: str) -> None:
	"""Compare what a platform holds with what it was told, in a worker. PermissionError for other roles or another company's."""
	guards.only_for(*STAFF)
	frappe.has_permission(DOCTYPE, doc=platform, throw=True)
	if not frappe.db.get_value(DOCTYPE, platform, "enabled"):
		frappe.throw(_("Platform {0} is switched off.").format(frappe.bold(platform)))
	reconcile.queue(platform)
