import frappe
from frappe import _
from frappe.model.document import Document

LONGEST = 48
"""Most hours a rule may look back: telemetry is kept for days, and an alarm that late helps nobody."""


class TVHealthRule(Document):
	"""When heartbeats open an Issue, and whether one per TV or one per site."""

	def validate(self) -> None:
		"""A rule must be able to come true, and to end."""
		if not 1 <= (self.hours or 0) <= LONGEST:
			frappe.throw(_("Hours in a row must lie between 1 and {0}.").format(LONGEST))
		if self.scope == "Site" and (self.tvs or 0) < 1:
			frappe.throw(_("Say how many TVs of a site must pass the threshold, at least one."))
		if self.signal == "Signal Strength" and not -200 <= (self.threshold or 0) < 0:
			frappe.throw(_("A signal strength is negative, such as -80 dBm."))
		if self.signal not in ("Signal Strength", "Silence") and (self.threshold or 0) < 1:
			frappe.throw(_("Give a threshold above zero: with zero, every hour would be bad."))

	def on_trash(self) -> None:
		"""Open alarms keep their rule until they have recovered; disable it instead."""
		if frappe.db.exists("TV Alarm", {"rule": self.name, "state": "Open"}):
			frappe.throw(_("Rule {0} has open alarms. Disable it instead.").format(frappe.bold(self.name)))
		frappe.db.delete("TV Alarm", {"rule": self.name})
