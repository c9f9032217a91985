from subscriber_tv.flows.guard_rows import GuardedRow


class TVDeviceEventLine(GuardedRow):
	"""One thing that happened to a TV: a stock movement, a pairing, and where it stood afterwards."""
