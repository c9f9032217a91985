import frappe
from frappe.model.document import Document


class TVCampaignTarget(Document):
	"""One contract of a price revision or migration: its day, its outcome, its letter. Written by the campaign alone."""


def on_doctype_update() -> None:
	"""A contract stands once in a campaign, whoever lists it."""
	frappe.db.add_unique("TV Campaign Target", ["campaign", "subscription"])
