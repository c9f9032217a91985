from frappe.model.document import Document

from subscriber_tv.flows.catalogue.note_offers import note_channel

#: Fields that a TV is told in the offer's document.
TOLD = (
	"channel_name",
	"lcn",
	"genre",
	"definition",
	"language",
	"age_rating",
	"entitlement_code",
	"disabled",
)


class TVChannel(Document):
	"""One channel, as the remote control and the entitlement systems know it."""

	def before_naming(self) -> None:
		self.channel_code = (self.channel_code or "").strip().upper()

	def validate(self) -> None:
		# Such channels must be locked by law, so a forgotten sign is no sign that they need not be.
		if self.genre == "Adult" and not self.age_rating:
			self.age_rating = "From 18 years"

	def on_update(self) -> None:
		if any(self.has_value_changed(field) for field in TOLD):
			note_channel(self.name)
