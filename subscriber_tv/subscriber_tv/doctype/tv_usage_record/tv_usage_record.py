import frappe
from frappe import _
from frappe.model.document import Document

from subscriber_tv.core.usage.inbox import CONFLICT, DISMISSED, OPEN, REJECTED
from subscriber_tv.flows.usage.replay import replay_once
from subscriber_tv.flows.usage.words import next_step, problem_of, reason

EDITABLE = ("serial", "reference", "line_id", "charge_code", "quantity", "used_at", "day")
"""What a person may put right on a rejected record, and what trying it again reads."""

DELETABLE = (REJECTED, CONFLICT, DISMISSED)


class TVUsageRecord(Document):
	"""One record of a source, kept whatever became of it. Flows write it by the batch; a person corrects a rejected one."""

	def onload(self):
		"""Its problem in the reader's language, not in that of whoever sent it; what staff wrote stays as it is."""
		found = problem_of(self) if self.state in OPEN else None
		if found:
			self.reason = reason(found)
			self.set_onload("reason", self.reason)
			self.set_onload("next_step", next_step(found))

	def validate(self):
		before = self.get_doc_before_save()
		if before is None:
			frappe.throw(_("Usage records come from a source: load a file, or post them to the API."))
		if before.state != REJECTED:
			frappe.throw(
				_("Record {0} is {1}: only a rejected one can be corrected.").format(
					frappe.bold(self.source_key), _(before.state)
				)
			)
		for field in self.meta.get_valid_columns():
			if field not in EDITABLE and field not in ("modified", "modified_by"):
				self.set(field, before.get(field))
		self.corrected_by = frappe.session.user

	def on_update(self):
		"""A corrected record is tried at once."""
		replay_once([self.name])
		self.reload()

	def on_trash(self):
		if self.state not in DELETABLE:
			frappe.throw(
				_("Record {0} belongs to the bills. Take it back instead: then it is credited.").format(
					frappe.bold(self.source_key)
				)
			)


def on_doctype_update():
	"""Indexes of a table of millions: the sums of billing, and the look at what has changed since, are read from them alone."""
	frappe.db.add_index(
		"TV Usage Record",
		["subscription", "line_id", "charge_code", "day", "state", "quantity"],
		index_name="usage_sums",
	)
	frappe.db.add_index("TV Usage Record", ["subscription", "modified"], index_name="usage_changes")
	frappe.db.add_index("TV Usage Record", ["tv_import", "state"], index_name="import_state")
