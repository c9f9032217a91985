"""Three years of one hotel: each document, ledger entry, deferred entry and balance against figures worked out by hand.

	2023  Nov  trial, 20 TVs, activation fee
	      Dec  first month
	2024  Jan  40 TVs        15 Feb  60 TVs (ramp-up)
	      11 Jun  better offer in the middle of a paid month
	      Jul  sport for one month
	      Nov  maintenance, billed by the year
	2025  13 Jan to 9 Feb  closed for works, not billed
	      Apr  yearly revision, 3 %        Jun  dispute
	      Aug  credit note by staff        Sep  invoice cancelled      Oct  invoice amended
	2026  Apr  yearly revision by an index      16 Oct  leaves, a year before its term of 48 months ends

Each bill run is followed by a second one that must find nothing due. Amounts are in euros, net unless they are called
gross; television is taxed with 10 %, sport, maintenance and fee with 20 %. The hotel pays at the end of each month.
"""

from decimal import Decimal

import frappe
from erpnext.controllers.sales_and_purchase_return import make_return_doc

from subscriber_tv.flows.collections.decide_dispute import decide_dispute
from subscriber_tv.flows.collections.payer_claims import claim_on
from subscriber_tv.flows.collections.raise_dispute import raise_dispute
from subscriber_tv.tests import factories
from subscriber_tv.tests.hotel_case import BASE, CARE, DEFERRED, FEE, SPORT, HotelCase, entries


class TestHotelStory(HotelCase):
	def test_three_years(self):
		self.make_offers()
		self.trial_and_ramp_up()
		self.better_offer_and_sport()
		self.maintenance_and_works()
		self.revision_and_dispute()
		self.hands_of_the_accountant()
		self.index_and_exit()
		self.every_deferred_row_has_ended_at_zero()

	def make_offers(self) -> None:
		fee = factories.activation_fee(item=FEE, unit_price=250)
		self.basic = self.offer("BASIC", factories.charge("TV", item=BASE, unit_price=8), fee)
		self.better = self.offer("BETTER", factories.charge("TV", item=BASE, unit_price=10), fee)
		self.sport = self.offer("SPORT", factories.charge("SPORT", item=SPORT, unit_price=3))
		self.care = self.offer(
			"CARE",
			factories.charge("CARE", item=CARE, price_model="Flat", unit_price=400, interval_months=12),
		)
		self.exit_rule = self.rule_of_exit()
		frappe.db.commit()

	def trial_and_ramp_up(self) -> None:
		"""November is free but for the fee; then 20, 40 and 60 TVs at 8.00."""
		self.on("2023-11-01")
		site = factories.make_site(
			self.hotel, territory=self.territory, outlets_installed=60, outlets_potential=60
		)
		self.contract = self.subscribe(
			"2023-11-01",
			customer=self.hotel,
			site=site,
			version=self.basic,
			quantity=20,
			terms={"trial_days": 30, "commitment_months": 48, "exit_rule": self.exit_rule},
		)
		# 250.00 and 20 %: 300.00
		self.bills(
			"2023-11-01",
			(
				[("ACTIVATION", "2023-11-01", "2023-11-02", "250.00")],
				entries(income="-250.00", vat_20="-50.00", gross="300.00"),
			),
			balance="300.00",
		)
		self.month_ends("2023-11", released=[], paid=["300.00"])
		# 20 x 8.00 = 160.00 and 10 %: 176.00
		self.bills(
			"2023-12-01", self.tv("2023-12-01", "2024-01-01", "160.00", "16.00", "176.00"), balance="176.00"
		)
		self.on("2023-12-20")
		self.lines({"line_id": "L1", "quantity": 40}, since="2024-01-01")
		self.month_ends("2023-12", released=["160.00"], paid=["176.00"])
		# 40 x 8.00 = 320.00: 352.00
		self.bills(
			"2024-01-01", self.tv("2024-01-01", "2024-02-01", "320.00", "32.00", "352.00"), balance="352.00"
		)
		self.month_ends("2024-01", released=["320.00"], paid=["352.00"])
		self.bills(
			"2024-02-01", self.tv("2024-02-01", "2024-03-01", "320.00", "32.00", "352.00"), balance="352.00"
		)
		# 15 of February's 29 days: 320.00 - 320.00 x 14/29 = 320.00 - 154.48 = 165.52 back (182.07 with tax),
		# 60 x 8.00 x 15/29 = 248.28 anew (273.11). 352.00 - 182.07 + 273.11 = 443.04
		self.on("2024-02-15")
		self.lines({"line_id": "L1", "quantity": 60}, since="2024-02-15")
		self.bills(
			"2024-02-15",
			self.tv_back("2024-02-15", "2024-03-01", "165.52", "16.55", "182.07"),
			self.tv("2024-02-15", "2024-03-01", "248.28", "24.83", "273.11"),
			balance="443.04",
		)
		# The old row stops on the 14th and is released whole; what was given back had lowered income at once.
		# 352.00 - 182.07 = 169.93 is open on the first invoice.
		self.month_ends("2024-02", released=["320.00", "248.28"], paid=["169.93", "273.11"])
		# 60 x 8.00 = 480.00: 528.00
		self.regular_months(
			"2024-03", "2024-05", self.month("480.00", "48.00", "528.00"), released=["480.00"], gross="528.00"
		)

	def better_offer_and_sport(self) -> None:
		"""10.00 a TV from 11 June on, in a month that is paid already; in July sport at 3.00 a TV."""
		(june,) = self.bills(
			"2024-06-01", self.tv("2024-06-01", "2024-07-01", "480.00", "48.00", "528.00"), balance="528.00"
		)
		self.on("2024-06-05")
		self.assertEqual(self.pay(june.name), "528.00")
		self.owes("0.00")
		# 20 of 30 days: 480.00 - 160.00 = 320.00 back (352.00), 600.00 x 20/30 = 400.00 anew (440.00).
		# The credit stays on the account and pays the new invoice first: 88.00 are left.
		self.on("2024-06-11")
		self.lines({"line_id": "L1", "offer_version": self.better}, since="2024-06-11")
		_note, invoice = self.bills(
			"2024-06-11",
			self.tv_back("2024-06-11", "2024-07-01", "320.00", "32.00", "352.00"),
			self.tv("2024-06-11", "2024-07-01", "400.00", "40.00", "440.00"),
			balance="88.00",
		)
		self.assertEqual(frappe.db.get_value("Sales Invoice", invoice.name, "outstanding_amount"), 88)
		self.on("2024-06-20")
		self.lines({"offer_version": self.sport, "quantity": 60, "option_of": "L1"}, since="2024-07-01")
		self.lines({"line_id": "L2", "ends": True}, since="2024-08-01")
		self.month_ends("2024-06", released=["480.00", "400.00"], paid=["88.00"])
		# 600.00 at 10 % and 60 x 3.00 = 180.00 at 20 %: 780.00 + 60.00 + 36.00 = 876.00
		self.bills(
			"2024-07-01",
			(
				[
					("TV", "2024-07-01", "2024-08-01", "600.00"),
					("SPORT", "2024-07-01", "2024-08-01", "180.00"),
				],
				entries(deferred="-780.00", vat_10="-60.00", vat_20="-36.00", gross="876.00"),
			),
			balance="876.00",
		)
		self.month_ends("2024-07", released=["600.00", "180.00"], paid=["876.00"])
		self.regular_months(
			"2024-08", "2024-10", self.month("600.00", "60.00", "660.00"), released=["600.00"], gross="660.00"
		)

	def maintenance_and_works(self) -> None:
		"""400.00 a year from 1 November, 365 days; closed and not billed from 13 January to 9 February."""
		self.on("2024-10-15")
		self.lines({"offer_version": self.care}, since="2024-11-01")
		# 600.00 at 10 %, 400.00 at 20 %: 1000.00 + 60.00 + 80.00 = 1140.00
		self.bills(
			"2024-11-01",
			(
				[
					("TV", "2024-11-01", "2024-12-01", "600.00"),
					("CARE", "2024-11-01", "2025-11-01", "400.00"),
				],
				entries(deferred="-1000.00", vat_10="-60.00", vat_20="-80.00", gross="1140.00"),
			),
			balance="1140.00",
		)
		# 400.00 x 30/365 = 32.88; 367.12 stay deferred
		self.month_ends("2024-11", released=["600.00", "32.88"], paid=["1140.00"], deferred="367.12")
		self.bills(
			"2024-12-01", self.tv("2024-12-01", "2025-01-01", "600.00", "60.00", "660.00"), balance="660.00"
		)
		# 400.00 x 31/365 = 33.97
		self.month_ends("2024-12", released=["600.00", "33.97"], paid=["660.00"], deferred="333.15")
		self.bills(
			"2025-01-01", self.tv("2025-01-01", "2025-02-01", "600.00", "60.00", "660.00"), balance="660.00"
		)
		# Served 12 of 31 days: 600.00 - 232.26 = 367.74 back (404.51), off the open invoice.
		# Maintenance served 30 + 31 + 12 = 73 of 365 days: 400.00 - 80.00 = 320.00 back (384.00), paid long ago.
		# 660.00 - 404.51 - 384.00 = -128.51
		self.on("2025-01-13")
		self.change_freely("suspend", "2025-01-13")
		self.bills(
			"2025-01-13",
			(
				[("CARE", "2025-01-13", "2025-11-01", "-320.00")],
				entries(income="320.00", vat_20="64.00", gross="-384.00"),
			),
			self.tv_back("2025-01-13", "2025-02-01", "367.74", "36.77", "404.51"),
			balance="-128.51",
		)
		# Both rows stop on 12 January: ERPNext releases all that is left of them, 600.00 and 400.00 - 66.85 = 333.15.
		# The hotel pays what is open on its invoice, 660.00 - 404.51 = 255.49; the 384.00 stay on its account.
		self.month_ends("2025-01", released=["600.00", "333.15"], paid=["255.49"])
		self.owes("-384.00")
		self.bills("2025-02-01")
		# 19 of 28 days: 600.00 x 19/28 = 407.14. Maintenance for 264 days to 1 November: 400.00 x 264/365 = 289.32.
		# 696.46 + 40.71 + 57.86 = 795.03, of which 384.00 are paid by the credit: 411.03
		self.on("2025-02-10")
		self.change_freely("resume", "2025-02-10")
		self.bills(
			"2025-02-10",
			(
				[
					("TV", "2025-02-10", "2025-03-01", "407.14"),
					("CARE", "2025-02-10", "2025-11-01", "289.32"),
				],
				entries(deferred="-696.46", vat_10="-40.71", vat_20="-57.86", gross="795.03"),
			),
			balance="411.03",
		)
		# Told in February, in force from April on.
		self.revise("2025-02-20", "2025-04-01", revision_rule="Fixed Percent", percent=3)
		# 289.32 x 19/264 = 20.82
		self.month_ends("2025-02", released=["407.14", "20.82"], paid=["411.03"], deferred="268.50")
		self.bills(
			"2025-03-01", self.tv("2025-03-01", "2025-04-01", "600.00", "60.00", "660.00"), balance="660.00"
		)
		# 289.32 x 31/264 = 33.97
		self.month_ends("2025-03", released=["600.00", "33.97"], paid=["660.00"], deferred="234.53")

	def revision_and_dispute(self) -> None:
		"""10.30 from April on; of June's invoice 100.00 are disputed and 60.00 granted in July."""
		# 60 x 10.30 = 618.00: 679.80
		self.bills(
			"2025-04-01", self.tv("2025-04-01", "2025-05-01", "618.00", "61.80", "679.80"), balance="679.80"
		)
		# 289.32 x 30/264 = 32.88
		self.month_ends("2025-04", released=["618.00", "32.88"], paid=["679.80"], deferred="201.65")
		self.bills(
			"2025-05-01", self.tv("2025-05-01", "2025-06-01", "618.00", "61.80", "679.80"), balance="679.80"
		)
		self.month_ends("2025-05", released=["618.00", "33.97"], paid=["679.80"], deferred="167.68")
		(june,) = self.bills(
			"2025-06-01", self.tv("2025-06-01", "2025-07-01", "618.00", "61.80", "679.80"), balance="679.80"
		)
		# 100.00 and 10 % wait: 110.00; the rest, 569.80, stays due and is paid.
		self.on("2025-06-05")
		dispute = raise_dispute(
			invoice=june.name,
			ground="Service Interrupted",
			reason="No picture on the second floor for five days.",
			rows=[(june.items[0].name, Decimal("100"))],
		)
		frappe.db.commit()
		claim = claim_on(frappe.get_doc("Sales Invoice", june.name))
		self.assertEqual((str(claim.disputed), str(claim.due + claim.not_due)), ("110.00", "569.80"))
		self.on("2025-06-29")
		self.assertEqual(self.pay(june.name, "569.80"), "569.80")
		self.month_ends("2025-06", released=["618.00", "32.88"], paid=None, deferred="134.80")
		self.owes("110.00")
		self.bills(
			"2025-07-01", self.tv("2025-07-01", "2025-08-01", "618.00", "61.80", "679.80"), balance="789.80"
		)
		# Granted: 60.00 and 10 %, 66.00, off June's invoice; 44.00 fall due again. 789.80 - 66.00 = 723.80
		self.on("2025-07-10")
		decide_dispute(
			dispute=dispute, event="accept", note="Three days", granted={june.items[0].name: Decimal("60")}
		)
		frappe.db.commit()
		(note,) = self._new_documents()
		self.assertEqual(self.entries_of(note), entries(income="60.00", vat_10="6.00", gross="-66.00"))
		self.owes("723.80")
		self.nothing_more("2025-07-10", runs=2)
		self.month_ends("2025-07", released=["618.00", "33.97"], paid=["44.00", "679.80"], deferred="100.83")

	def hands_of_the_accountant(self) -> None:
		"""A standard credit note, a cancelled and an amended invoice: each followed by two runs."""
		(august,) = self.bills(
			"2025-08-01", self.tv("2025-08-01", "2025-09-01", "618.00", "61.80", "679.80"), balance="679.80"
		)
		# Create > Return / Credit Note, the rate set to 50.00: 55.00 with tax, never billed back. As ERPNext proposes it
		# the credit stays on the account: August is paid in full, September's invoice is settled with 55.00 first.
		self.on("2025-08-20")
		note = make_return_doc("Sales Invoice", august.name)
		note.items[0].rate = 50
		note.submit()
		frappe.db.commit()
		(note,) = self._new_documents()
		self.assertEqual(self.entries_of(note), entries(income="50.00", vat_10="5.00", gross="-55.00"))
		self.owes("624.80")
		self.nothing_more("2025-08-20", runs=2)
		self.month_ends("2025-08", released=["618.00", "33.97"], paid=["679.80"], deferred="66.86")
		self.owes("-55.00")
		# Cancelled on the 12th: the next run bills September anew, as a document of that day, the 55.00 used again; the one
		# after nothing.
		(september,) = self.bills(
			"2025-09-01", self.tv("2025-09-01", "2025-10-01", "618.00", "61.80", "679.80"), balance="624.80"
		)
		self.on("2025-09-12")
		frappe.get_doc("Sales Invoice", september.name).cancel()
		frappe.db.commit()
		self.owes("-55.00")
		self.bills(
			"2025-09-12", self.tv("2025-09-01", "2025-10-01", "618.00", "61.80", "679.80"), balance="624.80"
		)
		self.nothing_more("2025-09-12")
		self.month_ends("2025-09", released=["618.00", "32.88"], paid=["624.80"], deferred="33.98")
		# Amended on the 15th to 600.00 (660.00): the amount is the accountant's, no run changes it.
		(october,) = self.bills(
			"2025-10-01", self.tv("2025-10-01", "2025-11-01", "618.00", "61.80", "679.80"), balance="679.80"
		)
		self.on("2025-10-15")
		october = frappe.get_doc("Sales Invoice", october.name)
		october.cancel()
		amended = frappe.copy_doc(october)  # as the desk's Amend, which copies `no_copy` fields too
		amended.amended_from = october.name
		amended.items[0].rate = 600
		amended.submit()
		frappe.db.commit()
		(amended,) = self._new_documents()
		self.assertEqual(
			self.entries_of(amended), entries(deferred="-600.00", vat_10="-60.00", gross="660.00")
		)
		self.nothing_more("2025-10-15", runs=2)
		# What is left of the maintenance: 289.32 less 255.34 released in eight months, 33.98.
		self.month_ends("2025-10", released=["600.00", "33.98"], paid=["660.00"])

	def index_and_exit(self) -> None:
		"""10.30 x 112.2/110.0 = 10.506, 10.51 from April on; the hotel leaves on 16 October 2026."""
		self.bills(
			"2025-11-01",
			(
				[
					("TV", "2025-11-01", "2025-12-01", "618.00"),
					("CARE", "2025-11-01", "2026-11-01", "400.00"),
				],
				entries(deferred="-1018.00", vat_10="-61.80", vat_20="-80.00", gross="1159.80"),
			),
			balance="1159.80",
		)
		self.month_ends("2025-11", released=["618.00", "32.88"], paid=["1159.80"], deferred="367.12")
		self.revise(
			"2025-12-01",
			"2026-04-01",
			revision_rule="Index",
			index_name="Syntec",
			base_index=110.0,
			base_index_date="2025-01-01",
			new_index=112.2,
			new_index_date="2026-01-01",
		)
		# 33.97 for months of 31 days, 32.88 for those of 30, 30.68 for February: what is left after each
		for month, care, left in (
			("2025-12", "33.97", "333.15"),
			("2026-01", "33.97", "299.18"),
			("2026-02", "30.68", "268.50"),
			("2026-03", "33.97", "234.53"),
		):
			self.one_month(month, ("618.00", "61.80", "679.80"), care, left)
		# 60 x 10.51 = 630.60: 693.66
		for month, care, left in (
			("2026-04", "32.88", "201.65"),
			("2026-05", "33.97", "167.68"),
			("2026-06", "32.88", "134.80"),
			("2026-07", "33.97", "100.83"),
			("2026-08", "33.97", "66.86"),
			("2026-09", "32.88", "33.98"),
		):
			self.one_month(month, ("630.60", "63.06", "693.66"), care, left)
		(october,) = self.bills(
			"2026-10-01", self.tv("2026-10-01", "2026-11-01", "630.60", "63.06", "693.66"), balance="693.66"
		)
		self.on("2026-10-05")
		self.assertEqual(self.pay(october.name), "693.66")
		# Served 15 of 31 days: 630.60 - 305.13 = 325.47 back (358.02). Maintenance served 349 of 365 days:
		# 400.00 - 382.47 = 17.53 back (21.04).
		# Bound until 1 November 2027; 20 % of what would have come: 325.47 + 12 x 630.60 + 17.53 + 400.00 = 8310.20,
		# 1662.04 and 20 %: 1994.45. The credit pays 379.06 of it: 1615.39
		self.on("2026-10-16")
		self.change_freely("end", "2026-10-16")
		self.bills(
			"2026-10-16",
			(
				[("CARE", "2026-10-16", "2026-11-01", "-17.53")],
				entries(income="17.53", vat_20="3.51", gross="-21.04"),
			),
			self.tv_back("2026-10-16", "2026-11-01", "325.47", "32.55", "358.02"),
			(
				[("EXIT", "2026-10-16", "2027-11-01", "1662.04")],
				entries(income="-1662.04", vat_20="-332.41", gross="1994.45"),
			),
			balance="1615.39",
		)
		# Both rows stop on the 15th: 630.60, and what is left of the maintenance, 33.98.
		self.month_ends("2026-10", released=["630.60", "33.98"], paid=["1615.39"])
		self.owes("0.00")
		self.nothing_more("2026-11-02", runs=2)

	def every_deferred_row_has_ended_at_zero(self) -> None:
		"""Of each deferred row exactly its amount was released; nothing is left on the account of any invoice."""
		names = frappe.get_all("Sales Invoice", {"customer": self.hotel, "docstatus": 1}, pluck="name")
		rows = 0
		for name in names:
			self.assertNotIn(DEFERRED, self.entries_of(frappe.get_doc("Sales Invoice", name)))
			for row in frappe.get_doc("Sales Invoice", name).items:
				if row.enable_deferred_revenue and row.amount > 0:
					self.assertEqual(self.released_of(row.name), f"{row.amount:.2f}")
					rows += 1
		# 37 of television, three of maintenance, one of sport
		self.assertEqual(rows, 41)
