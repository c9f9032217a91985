"""Credit on a payer's account, before anybody has booked it against an invoice: the oldest claims use it first."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal

from subscriber_tv.core.billing.concessions import spread
from subscriber_tv.core.collections.collectable import Collectable, Invoice, collectable
from subscriber_tv.core.money import ZERO


def collect(invoices: Mapping[str, Invoice], credit: Decimal, today: date) -> dict[str, Collectable]:
	"""What may be asked for each open invoice of one payer when his credit is counted once.

	The credit goes to instalments in the order of their days, over all invoices, and never to what is disputed.
	"""
	alone = {name: collectable(replace(invoice, credit=ZERO), today) for name, invoice in invoices.items()}
	claims = sorted((part.due, name, part.claim) for name, answer in alone.items() for part in answer.parts)
	shares = spread(credit, [claim for _, _, claim in claims])
	covered = dict.fromkeys(invoices, ZERO)
	for (_, name, _), share in zip(claims, shares, strict=True):
		covered[name] += share
	return {
		name: collectable(replace(invoice, credit=covered[name]), today) for name, invoice in invoices.items()
	}
