"""Who belongs together: customers and the customer each names as its parent."""

from collections.abc import Mapping


def group_of(customer: str, parents: Mapping[str, str]) -> frozenset[str]:
	"""All customers below the one at the top of this customer's line of parents, with that one and himself.

	Customers that name each other in a circle are one group.
	"""
	top, seen = customer, {customer}
	while (above := parents.get(top)) and above not in seen:
		seen.add(above)
		top = above
	found = {top}
	while below := {child for child, parent in parents.items() if parent in found} - found:
		found |= below
	return frozenset(found)
