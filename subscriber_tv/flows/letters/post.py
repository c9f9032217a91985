"""Letters by post: one PDF of all that wait, to be printed, and the note that they were posted."""

import io

import frappe
from frappe import _
from frappe.utils import nowdate
from pypdf import PdfReader, PdfWriter

from subscriber_tv.flows.letters.kinds import LETTERS, Letter, note_sent
from subscriber_tv.flows.letters.send import language_of, locked_rows, own_rows, record, tell_campaign

#: Letters in one PDF: a browser still opens it, and a worker makes it within its time.
MOST = 500


def print_waiting(*, doctype: str, campaign: str | None = None, without_address: bool = True) -> bytes:
	"""One PDF with the letters that wait: those of customers without an e-mail address, or all of them.

	ValidationError when none waits, or more than can be printed at once.
	"""
	letter = LETTERS[doctype]
	names = _names(letter, campaign, without_address)
	if not names:
		frappe.throw(_("No letter waits for the post."), title=_("Letters"))
	if len(names) > MOST:
		frappe.throw(
			_(
				"{0} letters wait, {1} can be printed at once. Send the e-mails first, then print the rest."
			).format(len(names), MOST),
			title=_("Letters"),
		)
	pages = PdfWriter()
	for name in names:
		doc = frappe.get_doc(doctype, name)
		made = frappe.attach_print(
			doctype, name, doc=doc, print_format=letter.print_format, lang=language_of(doc.customer)
		)
		pages.append(PdfReader(io.BytesIO(made["fcontent"])))
	written = io.BytesIO()
	pages.write(written)
	return written.getvalue()


def mark_posted(*, doctype: str, campaign: str | None = None, without_address: bool = True) -> int:
	"""Note that the printed letters were posted today, with a Communication for each customer; returns their number."""
	letter = LETTERS[doctype]
	names = set(_names(letter, campaign, without_address))
	customers = {row.customer for row in own_rows(letter, campaign) if row.name in names}
	done = 0
	for customer in sorted(customers):
		docs = [doc for doc in locked_rows(letter, campaign, customer) if doc.name in names]
		if not docs:
			continue
		communication = record(letter, customer, docs, "Other", None)
		for doc in docs:
			note_sent(letter, doc, "Post", communication.name)
		done += len(docs)
	tell_campaign(doctype, campaign)
	return done


def file_name(doctype: str, campaign: str | None) -> str:
	"""Name of the PDF for the browser."""
	return f"{campaign or doctype}-{nowdate()}.pdf".replace(" ", "-")


def _names(letter: Letter, campaign: str | None, without_address: bool) -> list[str]:
	more = {"letter_problem": ("is", "set")} if without_address else {}
	rows = own_rows(letter, campaign, **more)
	return [row.name for row in sorted(rows, key=lambda row: (row.customer, row.name))]
