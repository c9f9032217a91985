from subscriber_tv.flows.campaigns.check import check_migration
from subscriber_tv.flows.campaigns.document import Campaign
from subscriber_tv.flows.campaigns.start import undo_until


class TVMigration(Campaign):
	"""A base of contracts moves to other offer versions."""

	def validate(self) -> None:
		check_migration(self)

	def before_submit(self) -> None:
		self.undo_until = undo_until(self)
