import frappe
from frappe import _
from frappe.model.document import Document

from subscriber_tv.core.usage.inbox import OPEN


class TVImport(Document):
	"""One file that was loaded, with what became of its rows. Only the flow that loads it writes it."""

	def onload(self):
		"""How many of its records still wait for somebody."""
		waiting = frappe.db.count("TV Usage Record", {"tv_import": self.name, "state": ("in", OPEN)})
		self.set_onload("waiting", waiting)

	def validate(self):
		if not self.is_new():
			frappe.throw(_("An import is never edited."))

	def on_trash(self):
		if frappe.db.exists("TV Usage Record", {"tv_import": self.name}):
			frappe.throw(_("The records of import {0} name it: it stays.").format(frappe.bold(self.name)))
