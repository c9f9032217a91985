import frappe
from frappe import _
from frappe.model.document import Document


class TVDevice(Document):
	"""One serialised TV: where it is, whose it is, its pairing, warranty and history.

	Written by flows only (goods receipts, deliveries, pairing), which bypass this class; a form or an import
	may look at it but not make or change one.
	"""

	def validate(self) -> None:
		frappe.throw(
			_(
				"A TV Device follows the stock ledger and its pairing. Post the stock movement, or use the buttons."
			),
			title=_("Not Edited by Hand"),
		)
