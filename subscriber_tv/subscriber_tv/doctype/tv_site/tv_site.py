import frappe
from frappe import _
from frappe.model.document import Document

from subscriber_tv.flows.activation.note_change import note_change
from subscriber_tv.flows.contracts.today import require_time_zone


class TVSite(Document):
	"""The place served: a hotel, a ward, a home. Its time zone decides what day it is for its contracts."""

	def validate(self) -> None:
		self._fill()
		require_time_zone(self.time_zone)
		self._check_outlets()
		if not self.is_new() and self.has_value_changed("customer"):
			self._refuse_other_customer()

	def on_update(self) -> None:
		told = ("time_zone", "parental_lock")
		if self.get_doc_before_save() and any(self.has_value_changed(field) for field in told):
			note_change("Site", self.name)

	def _fill(self) -> None:
		# Without a customer Frappe refuses the site, after this.
		customer = frappe._dict(
			frappe.db.get_value("Customer", self.customer, ["customer_group", "territory"], as_dict=True)
			or {}
		)
		self.segment = self.segment or customer.customer_group
		self.territory = self.territory or customer.territory
		self.time_zone = (
			self.time_zone or frappe.get_cached_doc("TV Settings").default_time_zone or "Europe/Paris"
		)

	def _check_outlets(self) -> None:
		if (self.outlets_installed or 0) < 0 or (self.outlets_potential or 0) < 0:
			frappe.throw(_("The number of outlets must not be below zero."), title=_("Outlets"))
		self.outlets_potential = self.outlets_potential or self.outlets_installed
		if (self.outlets_potential or 0) < (self.outlets_installed or 0):
			frappe.throw(
				_("{0} outlets are installed, so the site could hold at least as many; {1} is less.").format(
					self.outlets_installed, self.outlets_potential
				),
				title=_("Outlets"),
			)

	def _refuse_other_customer(self) -> None:
		subscription = frappe.db.get_value("TV Subscription", {"site": self.name})
		if subscription:
			frappe.throw(
				_(
					"Subscription {0} serves this site, so it stays with its customer. Create another site."
				).format(frappe.bold(subscription)),
				title=_("Site in Use"),
			)
