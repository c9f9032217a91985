from subscriber_tv.flows.campaigns.check import check_notice, check_revision
from subscriber_tv.flows.campaigns.document import Campaign


class TVPriceRevision(Campaign):
	"""The yearly revision of a base's prices."""

	def validate(self) -> None:
		check_revision(self)

	def before_submit(self) -> None:
		check_notice(self)
