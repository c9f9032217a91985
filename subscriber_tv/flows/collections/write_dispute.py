"""The one writer of TV Dispute: every step is dated and signed."""

import frappe
from frappe.utils import now_datetime

#: The name of each event in the history of a dispute.
STEPS = {
	"raise": "Raised",
	"review": "Taken Under Review",
	"accept": "Accepted",
	"reject": "Rejected",
	"withdraw": "Withdrawn",
	"reopen": "Reopened",
	"close": "Closed",
}


def write_step(doc, event: str, state: str, note: str | None = None):
	"""Bring a dispute to `state`, note the step in its history, and save it. The caller holds the payer's lock."""
	doc.state = state
	doc.append(
		"events",
		{"at": now_datetime(), "event": STEPS[event], "user": frappe.session.user, "note": note},
	)
	doc.flags.written_by_flow = True
	# Nobody has write access to disputes: the endpoint has checked who may take this step, and an invoice that
	# is cancelled closes its disputes whoever cancels it.
	doc.flags.ignore_permissions = True
	return doc.save()
