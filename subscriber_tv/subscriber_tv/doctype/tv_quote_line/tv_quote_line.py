from subscriber_tv.flows.guard_rows import GuardedRow


class TVQuoteLine(GuardedRow):
	pass
