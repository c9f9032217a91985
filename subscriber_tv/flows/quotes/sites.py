"""The TV lines of a Quotation by the site they are for: each site is a contract of its own."""


def rows_by_site(doc) -> dict[str, list]:
	"""The rows of each site in the order of the form; the empty name holds those whose site is not known yet."""
	found: dict[str, list] = {}
	for row in doc.tv_lines:
		found.setdefault(row.site or "", []).append(row)
	return found
