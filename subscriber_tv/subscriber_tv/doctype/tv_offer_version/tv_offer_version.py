import frappe
from frappe import _
from frappe.model.document import Document

from subscriber_tv.core.catalogue.offer import problems_of_version
from subscriber_tv.flows.activation.note_change import note_change
from subscriber_tv.flows.catalogue.facts import version_of
from subscriber_tv.flows.catalogue.versions import (
	next_version_no,
	refuse_while_used,
	set_current_version,
)
from subscriber_tv.flows.catalogue.words import why_not_valid


class TVOfferVersion(Document):
	"""Prices and bouquets of an offer. Submitted it never changes: a new price is a new version."""

	def before_insert(self) -> None:
		if self.amended_from:
			frappe.throw(
				_("A version is never amended. Duplicate it: that makes the next version of the offer."),
				title=_("Make a New Version"),
			)
		self.version_no = next_version_no(self.offer)

	def validate(self) -> None:
		for row in (*self.charges, *self.tiers):
			row.charge_code = (row.charge_code or "").strip().upper()
		problems = [why_not_valid(problem) for problem in problems_of_version(version_of(self))]
		if problems:
			frappe.throw(
				problems if len(problems) > 1 else problems[0],
				title=_("Offer Version Not Complete"),
				as_list=len(problems) > 1,
			)

	def on_submit(self) -> None:
		set_current_version(self.offer)
		note_change("Offer", self.name)

	def before_cancel(self) -> None:
		refuse_while_used(self.name)

	def on_cancel(self) -> None:
		set_current_version(self.offer)
		note_change("Offer", self.name)
