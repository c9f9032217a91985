from subscriber_tv.flows.guard_rows import GuardedRow


class TVQuoteBillLine(GuardedRow):
	pass
