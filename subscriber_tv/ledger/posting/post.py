"""Posts a Sales Invoice: the quick way when everything about it is known, else as ERPNext does."""

from erpnext.accounts.doctype.sales_invoice.sales_invoice import SalesInvoice

from subscriber_tv.ledger.posting.admission import document_allows, site_allows
from subscriber_tv.ledger.posting.memory import remembering
from subscriber_tv.ledger.posting.quick_invoice import QuickInvoice
from subscriber_tv.ledger.posting.shortcuts import shortcuts


def post(doc) -> None:
	"""Insert and submit a new Sales Invoice in the current transaction. Errors are ERPNext's own."""
	with remembering() as memory:
		quick = type(doc) is SalesInvoice and document_allows(doc) and site_allows(memory)
		if quick:
			doc.__class__ = QuickInvoice
			try:
				with shortcuts():
					doc.post()
			finally:
				doc.__class__ = SalesInvoice
			return
	post_ordinarily(doc)


def post_ordinarily(doc) -> None:
	"""Insert, then submit, as anybody's invoice is."""
	# Two steps although one would do: ERPNext judges a document that is new differently (its status, whether a
	# credit note exceeds what is outstanding), and ours must be posted like any other.
	doc.insert()
	doc.submit()


def is_quick() -> bool:
	"""Whether this site's invoices go the quick way."""
	with remembering() as memory:
		return site_allows(memory)
