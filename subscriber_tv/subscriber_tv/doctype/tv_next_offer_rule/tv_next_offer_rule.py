import frappe
from frappe import _
from frappe.model.document import Document


class TVNextOfferRule(Document):
	"""When to propose an offer to a subscriber, see core/catalogue/next_offer.py."""

	def validate(self) -> None:
		if self.proposes == self.replaces:
			frappe.throw(
				_("{0} cannot take its own place.").format(frappe.bold(self.proposes)), title=_("Same Offer")
			)
