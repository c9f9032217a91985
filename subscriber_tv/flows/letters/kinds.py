"""The kinds of letters: whose rows they are, which print they use, and what is noted once one is out."""

from collections.abc import Callable
from dataclasses import dataclass

import frappe
from frappe import _
from frappe.utils import formatdate, getdate, now_datetime

PRICES, RENEWAL = "TV Campaign Target", "TV Renewal Notice"


@dataclass(frozen=True)
class Letter:
	"""`waiting` are filters for rows whose letter is not out, `subject` the line of the e-mail in a language.

	`in_time` leaves renewals alone whose time for the letter has not come or is over: a person decides about those.
	"""

	doctype: str
	print_format: str
	waiting: dict
	subject: Callable[[object, str], str]
	status: Callable[[object], str | None]
	in_time: bool = False


def _prices_subject(doc, language: str) -> str:
	return _("New prices of your television subscription from {0}", language).format(
		formatdate(doc.effective_date)
	)


def _renewal_subject(doc, language: str) -> str:
	return _("Your contract {0} will be renewed on {1}", language).format(
		doc.subscription, formatdate(doc.term_end)
	)


def _renewal_status(doc) -> str:
	"""A letter after its last day is out, yet it frees nobody from what came too late."""
	return "Sent" if getdate() <= getdate(doc.send_until) else "Late"


LETTERS = {
	letter.doctype: letter
	for letter in (
		Letter(
			PRICES,
			"TV Price Revision Letter",
			{
				"campaign_doctype": "TV Price Revision",
				"outcome": ("in", ("Pending", "Applied", "Parked")),
				"details": ("is", "set"),
				"letter_sent_on": ("is", "not set"),
			},
			_prices_subject,
			lambda doc: None,
		),
		Letter(
			RENEWAL,
			"TV Renewal Letter",
			{"status": ("in", ("Due", "Missed")), "letter_sent_on": ("is", "not set")},
			_renewal_subject,
			_renewal_status,
		),
	)
}


def waiting(letter: Letter, campaign: str | None, **more) -> dict:
	"""Filters for the rows of a campaign, or of all renewals, whose letter is not out."""
	filters = {**letter.waiting, **more}
	if letter.doctype == PRICES:
		return {**filters, "campaign": campaign}
	if letter.in_time:
		filters |= {"send_from": ("<=", getdate()), "send_until": (">=", getdate())}
	# Once the last day to refuse has passed the letter would tell of something that nobody can change any longer.
	return {**filters, "last_refusal": (">=", getdate())}


def note_sent(letter: Letter, doc, way: str, communication: str) -> None:
	"""Write the proof on the row: when, by whom, by which way, which print, which Communication."""
	values = {
		"letter_sent_on": now_datetime(),
		"letter_sent_by": frappe.session.user,
		"letter_way": way,
		"letter": communication,
		"letter_print": letter.print_format,
		"letter_problem": None,
	}
	status = letter.status(doc)
	doc.db_set(values | ({"status": status} if status else {}))
