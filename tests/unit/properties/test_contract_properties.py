"""Whatever happens to a contract, and whoever pays for it: once it is over, each payer was charged what he owed."""

from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal as D
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.billing.agreement import terms_of
from subscriber_tv.core.billing.bill import ContractFacts, PayerBill, decide
from subscriber_tv.core.billing.books import Books
from subscriber_tv.core.billing.price import DEPOSIT, ONE_OFF, RECURRING, USAGE, OfferCharge
from subscriber_tv.core.billing.usage import Usage
from subscriber_tv.core.contracts.commitment import Commitment, ExitRule, Term
from subscriber_tv.core.contracts.lines import Line, LineStep
from subscriber_tv.core.contracts.states import TRANSITIONS, IllegalTransition
from subscriber_tv.core.contracts.timeline import (
	Agreed,
	Change,
	Contract,
	TimelineError,
	extend,
	fold,
	plan_change,
	plan_other,
	plan_withdrawal,
)
from subscriber_tv.core.pricing.discount import Discount
from subscriber_tv.core.pricing.models import PercentOf, Tier, Volume
from subscriber_tv.core.pricing.offered import CONTRACT

PAYERS = "PQR"
STEPS = 14
CENT = D("0.01")


def charge(code: str, kind: str = RECURRING, price: str = "0", **fields) -> OfferCharge:
	return OfferCharge(code, kind, "TV-" + code, "Per Unit", D(price), **fields)


FEE = charge("FEE", scheme=PercentOf(D(7)), of=("BASE", "FILM"))
ROOMS = charge("ROOMS", scheme=Volume((Tier(D(3), D(8)), Tier(None, D(6)))), counts_over=CONTRACT)
FILM, BOX, START = charge("FILM", USAGE, "0.37"), charge("BOX", DEPOSIT, "40"), charge("START", ONE_OFF, "50")
OFFERS = {
	"MONTH": (charge("BASE", price="31"), START, FILM, BOX, ROOMS),
	"YEAR": (charge("BASE", price="365.50", interval_months=12, minimum=D(400)), START, FILM, BOX),
	"QUARTER": (charge("BASE", price="90", interval_months=3, arrears=True), FEE),
	"WHOLE": (charge("BASE", price="44.44", prorate=False), FEE, replace(FILM, prorate=False)),
	"OPTION": (charge("EXTRA", price="7.77"), ROOMS),
}
RULES = (None, ExitRule("R", "FEE", percent_within=D(50), renewed=True), ExitRule("L", "FEE", most_months=6))
EVENTS = [event for (state, event) in TRANSITIONS if state] + ["lines"] * 6 + ["payer"] * 4
EVENTS += ["discount", "anchor", "withdraw"] * 2


class Story:
	"""One contract, its usage, and the books of everybody who pays for it."""

	def __init__(self, chance: Random):
		self.chance = chance
		self.today = date(2026, 1, chance.randint(1, 31))
		self.books = {payer: Books() for payer in PAYERS}
		self.usage: list[Usage] = []
		self.contract = self._opened()

	def _opened(self) -> Contract:
		pick = self.chance.choice
		commitment = Commitment(Term(12, 12, 1), pick(RULES))
		agreed = Agreed(anchor_day=pick([None, 1, 31]), trial_days=pick([0, 10]), commitment=commitment)
		lines = (Line("1", pick(list(OFFERS)), 2),)
		contract = fold(
			[Change(1, "create", None, "Draft", self.today, lines=lines, payer=PAYERS[0])],
			subscription="TVS-1",
			agreed=agreed,
		)
		for event in ("request_documents", "complete_documents", "finish_installation", "activate"):
			contract = extend(
				contract, plan_change(contract, event, no=len(contract.changes) + 1, today=self.today)
			)
		return contract

	def step(self) -> None:
		"""Some days later something may happen, today or some time ago, and somebody may be billed."""
		pick = self.chance.choice
		self.today += timedelta(pick([0, 1, 7, 16, 31]))
		self.happen(pick(EVENTS), self.today - timedelta(pick([0, 0, 5, 20, 45, -20])))
		if pick([True, False]):
			used = self.today - timedelta(self.chance.randint(0, 60))
			self.usage.append(Usage("1", "FILM", used, D(self.chance.randint(1, 9))))
		if self.usage and pick([True] + [False] * 9):
			self.usage.remove(pick(self.usage))
		if pick([True, False]):
			self.bill(pick([PAYERS, *PAYERS]))
		if pick([True] + [False] * 9):
			self.cancel_a_row(pick(PAYERS))

	def happen(self, event: str, day: date) -> None:
		"""What cannot happen now does not."""
		try:
			self.contract = extend(self.contract, self._change(event, day))
		except (IllegalTransition, TimelineError):
			return

	def _change(self, event: str, day: date) -> Change:
		no, pick = len(self.contract.changes) + 1, self.chance.choice
		if event == "withdraw":
			return plan_withdrawal(self.contract, self.chance.randint(2, no), no=no)
		if event in ("lines", "payer", "discount", "anchor"):
			far = self.today + timedelta(400)
			change = plan_other(self.contract, event, no=no, today=self.today, farthest=far, effective=day)
			return self._completed(replace(change, event="change_" + event))
		end = self.today + timedelta(pick([10, 40])) if event == "cancel_at_date" else None
		return plan_change(
			self.contract, event, no=no, today=self.today, effective=day, end=end, billed=pick([True, False])
		)

	def _completed(self, change: Change) -> Change:
		pick = self.chance.choice
		if change.event == "change_payer":
			return replace(change, payer=pick(PAYERS))
		if change.event == "change_anchor":
			return replace(change, anchor_day=pick([1, 15, 31]))
		if change.event == "change_discount":
			one = pick([Discount(percent=D(33), periods=2), Discount(amount=D(5))])
			return replace(change, event="grant_discount", discounts=(replace(one, since=change.effective),))
		if pick([True, True, False]):
			step = LineStep("1", offer_version=pick([None, *OFFERS]), quantity=pick([None, 1, 2, 3]))
		else:
			step = pick([LineStep("2", offer_version="OPTION", quantity=2), LineStep("2", ends=True)])
		return replace(change, steps=(step,))

	def cancel_a_row(self, payer: str) -> None:
		rows = [row for row in self.books[payer].of("TVS-1") if not row.corrections]
		if rows:
			self.books[payer].rows["TVS-1"].remove(self.chance.choice(rows))

	def bill(self, payers: str) -> None:
		for payer in payers:
			for bill in self.decided(payer, self.rows()).bills:
				self.books[payer].post(bill, "INVOICE")

	def rows(self):
		return tuple(replace(row, payer=who) for who, kept in self.books.items() for row in kept.of("TVS-1"))

	def decided(self, payer: str, rows) -> PayerBill:
		"""What is due of one payer. Nothing that happens here may keep the contract from being billed."""
		facts = ContractFacts(
			self.contract, OFFERS, rows, terms=terms_of(self.contract), usage=tuple(self.usage), payer=payer
		)
		bill = decide([facts], until=self.today, max_months=1200, max_rows=100)
		assert not bill.refused
		return bill

	def close(self) -> None:
		"""The contract ends, and everybody is billed until nothing is due."""
		self.happen("end", self.today)
		self.today = max(self.today, self.contract.end_date)
		for _ in range(3):
			self.bill(PAYERS)


@given(seed=st.integers(0, 10**6))
def test_once_it_is_over_everybody_was_charged_what_he_owed(seed):
	story = Story(Random(seed))
	for _ in range(STEPS):
		story.step()
	story.close()
	for payer in PAYERS:
		assert not story.decided(payer, story.rows()).bills
		owed, charged, rows = defaultdict(D), defaultdict(D), defaultdict(int)
		for one in (one for bill in story.decided(payer, ()).bills for one in bill.charges):
			owed[one.claim.line, one.claim.kind] += one.amount
			rows[one.claim.line, one.claim.kind] += 1
		for row in story.books[payer].of("TVS-1"):
			charged[row.line, row.kind] += row.left
			rows[row.line, row.kind] += 1 + len(row.corrections)
		for place, number in rows.items():
			if place[1] == ONE_OFF:
				# Charged once, at the price then known.
				assert bool(owed[place]) == bool(charged[place])
				continue
			# Each row is rounded once: half a cent either way.
			assert abs(owed[place] - charged[place]) <= CENT * (number + 1) / 2, place
