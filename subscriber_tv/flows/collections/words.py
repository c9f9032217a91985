"""Says in the user's language why something cannot be disputed or decided, and what to do next."""

import frappe
from frappe import _
from frappe.utils import fmt_money

from subscriber_tv.core.collections.disputes import NotDisputable, NotNow


def event_label(event: str) -> str:
	"""Translated name of the button that causes the event."""
	labels = {
		"review": _("Take Under Review"),
		"accept": _("Accept"),
		"reject": _("Reject"),
		"withdraw": _("Withdraw"),
	}
	return labels[event]


def why_not_disputable(refused: NotDisputable, doc) -> str:
	"""One sentence naming the row and the next step; `doc` is the invoice."""
	rows = {row.name: row for row in doc.items}
	row = rows.get(refused.row)
	place = _("Row {0} of {1}").format(row.idx, frappe.bold(doc.name)) if row else frappe.bold(doc.name)
	most = fmt_money(float(refused.amount), currency=doc.currency)
	sentences = {
		"no_rows": _("{0}: choose at least one row and give the amount that is disputed.").format(place),
		"unknown_row": _("{0} has no row {1}. Reload the page and choose again.").format(place, refused.row),
		"twice": _("{0} is named twice. Give its amount once.").format(place),
		"not_positive": _("{0}: the amount must be above zero.").format(place),
		"places": _("{0}: the amount has more decimals than {1} knows.").format(place, doc.currency),
		"nothing_left": _(
			"{0}: nothing is left to dispute; it was credited or is disputed already. Look at its disputes and credit notes."
		).format(place),
		"too_much": _("{0}: at most {1} (excl. VAT) is left of it.").format(place, most),
		"nothing_granted": _("{0}: nothing would be given back. Reject the dispute instead.").format(place),
		"row_left_out": _("{0}: say how much of it is granted, zero for nothing.").format(place),
	}
	return sentences[refused.code]


def why_not_now(dispute, refused: NotNow) -> str:
	"""Sentence for a step that the state of the dispute does not know: usually somebody else was faster."""
	last = dispute.events[-1]
	done = _("{0} by {1} on {2}").format(
		_(last.event), frappe.utils.get_fullname(last.user), frappe.utils.format_datetime(last.at)
	)
	possible = ", ".join(event_label(event) for event in refused.allowed) or _("nothing")
	return _("{0} of dispute {1} is not possible any more: {2}. Possible now: {3}.").format(
		frappe.bold(event_label(refused.event)), frappe.bold(dispute.name), done, possible
	)
