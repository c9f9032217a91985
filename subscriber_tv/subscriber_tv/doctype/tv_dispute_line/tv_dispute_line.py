from subscriber_tv.flows.guard_rows import GuardedRow


class TVDisputeLine(GuardedRow):
	"""What a dispute holds of one invoice row; net amounts in the currency of the invoice."""
