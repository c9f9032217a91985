from subscriber_tv.flows.guard_rows import GuardedRow


class TVDisputeEventLine(GuardedRow):
	"""One step of a dispute: when, by whom, and what was said."""
