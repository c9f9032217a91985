from frappe.model.document import Document

from subscriber_tv.flows.promotions.check import check_promotion, refuse_deletion_while_used
from subscriber_tv.flows.promotions.give import uses


class TVPromotion(Document):
	"""An amount or a percentage off, for some: what was given stands in the changes of the contracts."""

	@property
	def uses(self) -> int:
		return 0 if self.is_new() else uses(self.name)

	def validate(self) -> None:
		check_promotion(self)

	def on_trash(self) -> None:
		refuse_deletion_while_used(self)
