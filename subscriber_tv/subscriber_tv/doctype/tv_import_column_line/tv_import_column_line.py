from subscriber_tv.flows.guard_rows import GuardedRow


class TVImportColumnLine(GuardedRow):
	"""Where one field of a record stands in a row of a file."""
