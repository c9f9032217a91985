"""What staff should know of a payer who is billed all the same."""

from collections import defaultdict
from collections.abc import Collection

from subscriber_tv.flows.contracts import double_billing
from subscriber_tv.ledger.invoice_guard import without_address


def warnings_of(payers: Collection[str]) -> dict[str, tuple[str, ...]]:
	"""Sentences by payer: no address for his invoice, an item that ERPNext's own Subscription bills him too."""
	found: dict[str, list[str]] = defaultdict(list)
	for payer, sentence in without_address(payers).items():
		found[payer].append(sentence)
	for twice in double_billing.of_customers(payers):
		found[twice.customer].append(double_billing.warning(twice))
	return {payer: tuple(sentences) for payer, sentences in found.items()}
