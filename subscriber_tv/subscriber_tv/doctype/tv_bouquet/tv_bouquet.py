import frappe
from frappe import _
from frappe.model.document import Document

from subscriber_tv.flows.catalogue.note_offers import note_bouquet


class TVBouquet(Document):
	"""A pack of channels. Changing it reaches every TV whose offer holds it, without a new offer version."""

	def before_naming(self) -> None:
		self.bouquet_code = (self.bouquet_code or "").strip().upper()

	def validate(self) -> None:
		seen = set()
		for row in self.channels:
			if row.channel in seen:
				frappe.throw(
					_("Channels, row {0}: {1} is there twice.").format(row.idx, frappe.bold(row.channel)),
					title=_("Channel Twice"),
				)
			seen.add(row.channel)

	def on_update(self) -> None:
		note_bouquet(self.name)
