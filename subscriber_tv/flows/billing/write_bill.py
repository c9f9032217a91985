"""Posts what a payer's bill came to; a contract that cannot be posted waits, his others do not."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from traceback import format_exception

import frappe
from frappe.utils import strip_html
from rq.timeouts import JobTimeoutException

from subscriber_tv.core.billing.bill import Bill
from subscriber_tv.core.billing.documents import Document, NewCreditNote, documents
from subscriber_tv.flows.billing.lock import CONFLICTS
from subscriber_tv.ledger.invoices import Order, Posted, post_credit_note, post_invoice

SAVEPOINT = "tv_bill"


@dataclass(frozen=True)
class Written:
	"""What was posted, and why some contracts wait: one sentence each."""

	credit_notes: tuple[Posted, ...] = ()
	invoices: tuple[Posted, ...] = ()
	parked: tuple[str, ...] = ()


class _Failed(Exception):
	def __init__(self, document: Document, error: Exception):
		super().__init__(str(error))
		self.document, self.error = document, error


def write_bill(order: Order, bills: Iterable[Bill]) -> Written:
	"""Post the documents of one payer; `order` says for whom, when and in which series, each group the rest.

	When one is refused everything is taken back to the savepoint and posted again without the contracts that are to
	blame: neither a credit nor a charge of theirs is left half done. Conflicts with others and the end of a job's time
	are raised.
	"""
	bills = tuple(bills)
	reasons: dict[str, str] = {}
	while True:
		frappe.db.savepoint(SAVEPOINT)
		try:
			notes, invoices = _post_all(order, documents(bills, without=reasons))
			return Written(tuple(notes), tuple(invoices), tuple(dict.fromkeys(reasons.values())))
		except _Failed as failed:
			_take_back()
			reasons |= _to_blame(order, failed)


def _post_all(order: Order, wanted: Iterable[Document]) -> tuple[list[Posted], list[Posted]]:
	notes: list[Posted] = []
	invoices: list[Posted] = []
	for document in wanted:
		posted = notes if isinstance(document, NewCreditNote) else invoices
		try:
			posted.append(_post(order, document))
		except (*CONFLICTS, JobTimeoutException):
			raise
		except Exception as error:
			raise _Failed(document, error) from error
	return notes, invoices


def _post(order: Order, document: Document) -> Posted:
	if isinstance(document, NewCreditNote):
		return post_credit_note(
			replace(order, currency=document.currency), document.invoice, document.credits
		)
	group = document.group
	order = replace(order, currency=group.currency, mode_of_payment=group.mode_of_payment, po_no=group.po_no)
	return post_invoice(order, document.charges)


def _take_back() -> None:
	frappe.db.rollback(save_point=SAVEPOINT)
	frappe.clear_messages()


def _to_blame(order: Order, failed: _Failed) -> dict[str, str]:
	"""Why each contract waits: those that fail alone, or all of the document when none of them does or all do."""
	contracts = failed.document.subscriptions
	alone = _failing_alone(order, failed.document) if len(contracts) > 1 else {}
	if 0 < len(alone) < len(contracts):
		return {subscription: _reason(error, (subscription,)) for subscription, error in alone.items()}
	# What is wrong is wrong with the payer or with the document as a whole: said once.
	return dict.fromkeys(contracts, _reason(failed.error, contracts))


def _failing_alone(order: Order, document: Document) -> dict[str, Exception]:
	"""Try each contract by itself and take it back."""
	found: dict[str, Exception] = {}
	for subscription in document.subscriptions:
		try:
			_post(order, document.only(subscription))
		except (*CONFLICTS, JobTimeoutException):
			raise
		except Exception as error:
			found[subscription] = error
		_take_back()
	return found


def _reason(error: Exception, contracts: tuple[str, ...]) -> str:
	"""The sentence for the list of what waits; an error nobody foresaw is logged with its trace."""
	if not isinstance(error, frappe.ValidationError):
		frappe.log_error(
			title=f"Bill: {contracts[0]}",
			message="".join(format_exception(error)),
			reference_doctype="TV Subscription",
			reference_name=contracts[0],
		)
	text = strip_html(str(error)).strip() or type(error).__name__
	return text if len(contracts) > 1 or contracts[0] in text else f"{contracts[0]}: {text}"
