"""Subscription: ERPNext's own bills a customer whom a TV Subscription bills too."""

import frappe
from frappe import _

from subscriber_tv.flows.contracts.double_billing import of_standard, warning
from subscriber_tv.flows.settings import phase_on


def on_update(doc, method: str | None = None) -> None:
	"""Warn whoever saves it; nothing is refused, both may be wanted for different services."""
	if not phase_on("billing"):
		return
	if found := of_standard(doc):
		frappe.msgprint(
			"<br>".join(frappe.utils.escape_html(warning(one)) for one in found),
			title=_("Billed Twice"),
			indicator="orange",
		)
