"""Sends the letters of a campaign, or of the renewals that are due: one e-mail a customer, the PDFs attached.

A customer's letters, the Communication that proves them, and the e-mail in the queue are one transaction under the lock
of their rows: a run that is killed, or started twice, sends nobody a second one. Whoever has no address is told on
the row and waits for the post.
"""

from collections.abc import Iterable
from dataclasses import replace

import frappe
from frappe import _
from frappe.utils import strip_html, validate_email_address
from frappe.utils.background_jobs import is_job_enqueued
from rq.timeouts import JobTimeoutException

from subscriber_tv.flows.letters.kinds import LETTERS, PRICES, Letter, note_sent, waiting

LONGEST_JOB = 6 * 3600  # seconds: a PDF takes about one


def ask(doctype: str, campaign: str | None = None, in_time: bool = False) -> int:
	"""Let a worker send the letters that wait and that the user may read; returns the number of rows.

	`in_time` sends only what is inside its time (`kinds.Letter`).
	"""
	letter = replace(LETTERS[doctype], in_time=in_time)
	number = len(own_rows(letter, campaign))
	# Two people may answer for different companies; the rows' locks keep their jobs apart.
	job = f"tv-letters::{doctype}::{campaign or ''}::{frappe.session.user}"
	if number and not is_job_enqueued(job):
		frappe.enqueue(
			"subscriber_tv.flows.letters.send.send",
			queue="long",
			timeout=LONGEST_JOB,
			job_id=job,
			deduplicate=True,
			enqueue_after_commit=True,
			doctype=doctype,
			campaign=campaign,
			in_time=in_time,
		)
	return number


def send(*, doctype: str, campaign: str | None = None, in_time: bool = False) -> dict[str, int]:
	"""Send what waits, customer after customer, each committed for himself; returns `sent` and `left` letters."""
	letter = replace(LETTERS[doctype], in_time=in_time)
	frappe.db.rollback()  # a fresh look
	customers = sorted({row.customer for row in own_rows(letter, campaign)})
	sent = sum(_one(letter, campaign, customer) for customer in customers)
	tell_campaign(doctype, campaign)
	# Ends the run's own transaction.
	frappe.db.commit()  # nosemgrep
	return {"sent": sent, "left": len(own_rows(letter, campaign))}


def address_of(customer: str) -> str | None:
	"""Where letters to a customer go: his own e-mail address, else that of his billing or primary contact."""
	own = frappe.db.get_value("Customer", customer, "email_id")
	if own and validate_email_address(own):
		return own
	contacts = frappe.get_all(
		"Contact",
		[
			["Dynamic Link", "link_doctype", "=", "Customer"],
			["Dynamic Link", "link_name", "=", customer],
			["email_id", "is", "set"],
		],
		["email_id"],
		order_by="`tabContact`.is_billing_contact desc, `tabContact`.is_primary_contact desc, `tabContact`.creation",
		limit=1,
	)
	return contacts[0].email_id if contacts else None


def tell_campaign(doctype: str, campaign: str | None) -> None:
	"""Bring the count of letters on the form of a campaign up to date."""
	if doctype != PRICES or not campaign:
		return
	number = frappe.db.count(PRICES, {"campaign": campaign, "letter_sent_on": ("is", "set")})
	frappe.get_doc("TV Price Revision", campaign).db_set("letters_sent", number, notify=True)


def _one(letter: Letter, campaign: str | None, customer: str) -> int:
	"""Send the letters of one customer and commit; returns their number."""
	try:
		frappe.db.rollback()  # the lock is the first statement
		docs = locked_rows(letter, campaign, customer)
		if not docs:
			return 0  # somebody beside us was faster
		done = _send(letter, customer, docs)
		# The e-mail in the queue and its proof together.
		frappe.db.commit()  # nosemgrep
		return done
	except JobTimeoutException:
		frappe.db.rollback()
		raise
	except Exception as error:
		frappe.db.rollback()
		_note_problem(letter, campaign, customer, error)
		return 0


def locked_rows(letter: Letter, campaign: str | None, customer: str) -> list:
	"""The customer's rows whose letter is not out, each read past the snapshot under its lock."""
	rows = own_rows(letter, campaign, customer=customer)
	docs = [frappe.get_doc(letter.doctype, row.name, for_update=True) for row in rows]
	return [doc for doc in docs if not doc.letter_sent_on]


def no_address() -> str:
	"""Why a letter waits for the post."""
	return _("No e-mail address: print the letter, or enter one on the customer.")


def own_rows(letter: Letter, campaign: str | None, **more) -> list:
	"""Rows whose letter waits, by name, as far as the session's user may read them: name and customer."""
	filters = waiting(letter, campaign, **more)
	return frappe.get_list(letter.doctype, filters, ["name", "customer"], order_by="name", limit=0)


def _send(letter: Letter, customer: str, docs: list) -> int:
	address = address_of(customer)
	if not address:
		_write_problem(docs, no_address())
		return 0
	language = language_of(customer)
	communication = record(letter, customer, docs, "Email", address)
	attachments = [
		frappe.attach_print(
			letter.doctype, doc.name, doc=doc, print_format=letter.print_format, lang=language
		)
		for doc in docs
	]
	for attachment, doc in zip(attachments, docs, strict=True):
		attachment["fname"] = f"{doc.subscription}.pdf"
	files = [_attach(communication.name, attachment) for attachment in attachments]
	frappe.sendmail(
		recipients=[address],
		subject=communication.subject,
		message=communication.content,
		attachments=[{"fid": file} for file in files],
		communication=communication.name,
		reference_doctype="Customer",
		reference_name=customer,
	)
	for doc in docs:
		note_sent(letter, doc, "E-mail", communication.name)
	return len(docs)


def record(letter: Letter, customer: str, docs: list, medium: str, address: str | None):
	"""The Communication that proves the letters, in the history of the customer and of each contract."""
	language = language_of(customer)
	text = _("Please find the letter on your subscription {0} attached.", language)
	doc = frappe.get_doc(
		{
			"doctype": "Communication",
			"communication_type": "Communication",
			"communication_medium": medium,
			"sent_or_received": "Sent",
			"subject": letter.subject(docs[0], language),
			"content": f"<p>{text.format(', '.join(row.subscription for row in docs))}</p>",
			"recipients": address,
			"sender": frappe.session.user,
			"reference_doctype": "Customer",
			"reference_name": customer,
			"timeline_links": [
				{"link_doctype": "TV Subscription", "link_name": row.subscription} for row in docs
			],
		}
	)
	# Who may send letters was checked by the endpoint; he need not write customers' histories otherwise.
	doc.flags.ignore_permissions = True
	return doc.insert()


def language_of(customer: str) -> str:
	return (
		frappe.db.get_value("Customer", customer, "language")
		or frappe.get_system_settings("language")
		or "en"
	)


def _attach(communication: str, attachment: dict) -> str:
	doc = frappe.get_doc(
		{
			"doctype": "File",
			"file_name": attachment["fname"],
			"attached_to_doctype": "Communication",
			"attached_to_name": communication,
			"is_private": 1,
			"content": attachment["fcontent"],
		}
	)
	# It hangs on the Communication that was just written above.
	doc.flags.ignore_permissions = True
	return doc.insert().name


def _note_problem(letter: Letter, campaign: str | None, customer: str, error: Exception) -> None:
	reason = strip_html(str(error)).strip() or type(error).__name__
	if not isinstance(error, frappe.ValidationError):
		frappe.log_error(title="A letter was not sent", reference_doctype="Customer", reference_name=customer)
	frappe.clear_messages()
	_write_problem(locked_rows(letter, campaign, customer), reason)
	# The reason stays although the customer's letters are undone.
	frappe.db.commit()  # nosemgrep


def _write_problem(docs: Iterable, reason: str) -> None:
	for doc in docs:
		if doc.letter_problem != reason:
			doc.db_set("letter_problem", reason)
