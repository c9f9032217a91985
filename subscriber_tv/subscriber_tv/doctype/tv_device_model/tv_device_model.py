import frappe
from frappe import _
from frappe.model.document import Document

from subscriber_tv.flows.activation.note_change import note_all_bound


class TVDeviceModel(Document):
	"""A model of TV, set-top box or smartcard: the Item it is in stock, how it is handed over, its warranty."""

	def validate(self) -> None:
		self._check_item()
		if (self.warranty_months or 0) < 0:
			frappe.throw(_("The customer warranty cannot be negative."))

	def on_update(self) -> None:
		if not self.is_new() and self.has_value_changed("bind_parts"):
			note_all_bound(self.name)

	def after_insert(self) -> None:
		"""TVs of this model may be in stock already."""
		frappe.enqueue(
			"subscriber_tv.flows.devices.adopt_stock.adopt_stock",
			queue="long",
			enqueue_after_commit=True,
			job_id=f"tv-adopt-stock::{self.name}",
			deduplicate=True,
			model=self.name,
		)

	def _check_item(self) -> None:
		item = frappe.get_cached_value("Item", self.item, ["is_stock_item", "has_serial_no"], as_dict=True)
		if item and not (item.is_stock_item and item.has_serial_no):
			frappe.throw(
				_(
					"Item {0} has no serial numbers. Tick Maintain Stock and Has Serial No in it first."
				).format(frappe.bold(self.item)),
				title=_("Not a Serialised Item"),
			)
