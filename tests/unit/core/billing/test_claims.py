"""Which days are billed already, whatever the keys of the rows are."""

import pytest
from billing_books import day

from subscriber_tv.core.billing.claims import Claim, taken


def claim(start, end, kind="recurring", line="TVS-1/L1/BASE"):
	return Claim(line, day(start), day(end), kind)


MONTH = claim("2026-01-01", "2026-02-01")
HALF = claim("2026-01-01", "2026-01-16")
CREDIT = claim("2026-01-16", "2026-02-01", "correction")


@pytest.mark.parametrize(
	("asked", "standing", "holder"),
	[
		(MONTH, [], None),
		(MONTH, [HALF], HALF),
		(HALF, [MONTH], MONTH),
		(claim("2026-01-16", "2026-02-01"), [HALF], None),
		(claim("2026-01-16", "2026-02-01"), [MONTH, CREDIT], None),
		(claim("2026-01-15", "2026-02-01"), [MONTH, CREDIT], MONTH),
		(MONTH, [claim("2026-01-01", "2026-02-01", line="TVS-1/L2/BASE")], None),
	],
)
def test_days_are_compared(asked, standing, holder):
	assert taken(asked, standing) == holder


def test_days_billed_again_after_a_credit_are_taken():
	again = claim("2026-01-16", "2026-02-01")
	assert taken(again, [MONTH, CREDIT, again]) == again


def test_a_fee_is_taken_on_any_day_until_it_is_credited():
	fee = claim("2026-01-01", "2026-01-02", "one-off")
	later = claim("2026-03-01", "2026-03-02", "one-off")
	assert taken(later, [fee]) == fee
	assert taken(later, [fee, claim("2026-01-01", "2026-01-02", "correction")]) is None
