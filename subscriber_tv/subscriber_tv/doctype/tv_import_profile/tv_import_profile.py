import frappe
from frappe.model.document import Document

from subscriber_tv.flows.usage.profiles import faults


class TVImportProfile(Document):
	"""How the files and messages of one source are read. It may be corrected at any time: rejected records are read anew."""

	def validate(self):
		for row in self.columns:
			row.column_name = (row.column_name or "").strip()
			row.fixed_value = (row.fixed_value or "").strip()
		self.source = self.source.strip()
		if found := faults(self):
			frappe.throw("<br>".join(found))
