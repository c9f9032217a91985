"""How long before a new price its letter must be out.

A consumer is told at least one month ahead (code de la consommation, L224-33); the operator's own notice may be
longer, and is the only one for a business.
"""

from datetime import date, timedelta

from subscriber_tv.core.billing.periods import later

LEGAL_MONTHS_CONSUMER = 1


def letter_due_by(effective: date, notice_days: int, *, consumer: bool) -> date:
	"""The last day on which the letter of a price that changes on `effective` may go out."""
	agreed = effective - timedelta(notice_days)
	if not consumer:
		return agreed
	return min(agreed, later(effective, -LEGAL_MONTHS_CONSUMER))
