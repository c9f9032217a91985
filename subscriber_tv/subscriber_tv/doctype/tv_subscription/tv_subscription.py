from frappe.model.document import Document

from subscriber_tv.flows.contracts.guard_cache import keep_hands_off, refuse_deletion
from subscriber_tv.flows.contracts.open_subscription import prepare, record_opening
from subscriber_tv.flows.contracts.record_change import discard_only_change


class TVSubscription(Document):
	"""A contract, as a cache of its submitted TV Subscription Changes.

	A user opens it by saving the form; from then on only flows write it, each with a change of its own.
	"""

	def validate(self) -> None:
		if self.is_new():
			prepare(self)
		else:
			keep_hands_off(self)

	def after_insert(self) -> None:
		record_opening(self)

	def on_trash(self) -> None:
		refuse_deletion(self)
		discard_only_change(self.name)
