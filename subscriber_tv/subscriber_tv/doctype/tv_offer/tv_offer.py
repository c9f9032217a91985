import frappe
from frappe import _
from frappe.model.document import Document

from subscriber_tv.core.catalogue.offer import OFFER_CODE
from subscriber_tv.flows.catalogue.note_offers import note_offer, note_terms


class TVOffer(Document):
	"""What is on sale under one name; prices and bouquets are in its submitted versions."""

	def before_naming(self) -> None:
		self.offer_code = (self.offer_code or "").strip().upper()

	def validate(self) -> None:
		if not OFFER_CODE.fullmatch(self.offer_code or ""):
			frappe.throw(
				_(
					"{0} is not an offer code. Use capital letters, digits, hyphens, dots or underscores."
				).format(frappe.bold(self.offer_code)),
				title=_("Offer Code"),
			)
		if (self.play_hours or 0) < 0:
			frappe.throw(_("{0} must not be below zero.").format(_("Play Without Asking (hours)")))

	def on_update(self) -> None:
		if self.has_value_changed("offer_name"):
			note_offer(self.name)
		if self.has_value_changed("play_hours") or self.has_value_changed("streams"):
			note_terms(self.name)
