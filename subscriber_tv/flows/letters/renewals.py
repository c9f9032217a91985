"""The daily look at letters of renewal: lists them, finds where each goes, and sends them where TV Settings say so."""

from dataclasses import replace

import frappe
from frappe.utils import now_datetime

from subscriber_tv.flows.contracts.renew_due import list_notices
from subscriber_tv.flows.letters.kinds import LETTERS, RENEWAL
from subscriber_tv.flows.letters.send import address_of, ask, no_address, own_rows


def write_renewals() -> dict[str, int]:
	"""List and prepare the letters of today, and let a worker send them if TV Settings say so; `prepared` and `sending`.

	Daily, and safe to repeat: a notice is listed once, prepared again only when its address has changed, and one that is
	sent waits no longer. A letter whose time is over is left to a person. What came of each stands on its notice.
	"""
	list_notices()
	prepared = prepare_renewals()
	by_themselves = frappe.get_cached_doc("TV Settings").send_renewal_letters
	return {"prepared": prepared, "sending": ask(RENEWAL, in_time=True) if by_themselves else 0}


def prepare_renewals() -> int:
	"""Write on each letter that is inside its time where it will go, or that it waits for the post; how many are new."""
	letter = replace(LETTERS[RENEWAL], in_time=True)
	return sum(_prepare(row.name, row.customer) for row in own_rows(letter, None))


def _prepare(name: str, customer: str) -> int:
	address = address_of(customer)
	doc = frappe.get_doc(RENEWAL, name, for_update=True)
	if doc.letter_sent_on or (doc.letter_prepared_on and doc.letter_to == address):
		return 0
	doc.db_set(
		{
			"letter_prepared_on": now_datetime(),
			"letter_to": address,
			"letter_problem": None if address else no_address(),
		}
	)
	return 1
