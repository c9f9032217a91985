"""Letters on a real site: prices and renewals, in both languages, sent once a customer, printed for the post."""

import functools
import io
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import patch

import frappe
from pypdf import PdfReader

from subscriber_tv.api import letters as api
from subscriber_tv.flows.campaigns import start
from subscriber_tv.flows.contracts.renew_due import list_notices
from subscriber_tv.flows.letters import post, renewals, send
from subscriber_tv.tests import factories
from subscriber_tv.tests.campaign_case import CampaignCase
from subscriber_tv.tests.contract_case import make_user
from subscriber_tv.tests.processes import on_own_connections

PRICES, RENEWAL = "TV Campaign Target", "TV Renewal Notice"
FORMAT = {PRICES: "TV Price Revision Letter", RENEWAL: "TV Renewal Letter"}


class Quiet(SimpleHTTPRequestHandler):
	def log_message(self, *_arguments) -> None:
		pass


def make_outgoing() -> None:
	"""An account that e-mails are queued for; nothing is sent in a test."""
	if frappe.db.exists("Email Account", {"default_outgoing": 1}):
		return
	frappe.get_doc(
		{
			"doctype": "Email Account",
			"email_id": "letters@antenne-bleue.example",
			"email_account_name": "Letters",
			"enable_outgoing": 1,
			"default_outgoing": 1,
			"smtp_server": "localhost",
			"no_smtp_authentication": 1,
		}
	).insert()


class TestLetters(CampaignCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		make_outgoing()
		frappe.db.commit()
		# The PDF maker fetches the site's style sheet: serve it, on the loopback only.
		server = ThreadingHTTPServer(
			("127.0.0.1", 0), functools.partial(Quiet, directory=frappe.local.sites_path)
		)
		threading.Thread(target=server.serve_forever, daemon=True).start()
		cls.addClassCleanup(server.server_close)
		cls.addClassCleanup(server.shutdown)
		cls.addClassCleanup(frappe.conf.update, {"host_name": frappe.conf.get("host_name")})
		frappe.conf.host_name = f"http://127.0.0.1:{server.server_port}"

	def listed(self, *names: str, **values):
		"""A revision of 10 % whose contracts wait for their letters."""
		doc = self.revision(letters_first=1, **values)
		self.assertEqual(self.run_campaign(doc)["status"], "Waiting for Letters")
		return doc.reload()

	def customer_of(self, subscription: str, **values) -> str:
		customer = frappe.db.get_value("TV Subscription", subscription, "customer")
		frappe.db.set_value("Customer", customer, values)
		frappe.db.commit()
		return customer

	def row(self, subscription: str, doctype: str = PRICES):
		return frappe.get_last_doc(doctype, {"subscription": subscription})

	def page(self, doc) -> str:
		page = frappe.get_print(doc.doctype, doc.name, FORMAT[doc.doctype])
		return frappe.utils.strip_html(page).replace("\u00a0", " ")

	def test_the_letter_of_new_prices_in_both_languages(self):
		name = self.contract(quantity=2, customer_type="Individual")
		self.customer_of(name, language="fr")
		self.listed()
		french = self.page(self.row(name))
		for part in (
			"Nouveaux prix à partir du 01/01/2027",
			"30,00",
			"33,00",
			"60,00 €",
			"66,00 €",
			"quatre mois",
		):
			self.assertIn(part, french)
		self.customer_of(name, language="en")
		english = self.page(self.row(name))
		for part in ("New prices from 1 Jan 2027", "33.00", "€60.00", "€66.00", "four months"):
			self.assertIn(part, english)
		for text in (french, english):
			for wrong in ("{0}", "{{", "None", "undefined"):
				self.assertNotIn(wrong, text)

	def test_an_index_is_named_with_its_values(self):
		name = self.contract()
		self.customer_of(name, language="en")
		self.listed(revision_rule="Index", index_name="syntec", base_index=300, new_index=305.5)
		text = self.page(self.row(name))
		self.assertIn("index SYNTEC", text)
		self.assertIn("S0 = 300 and S1 = 305.5", text)
		self.assertNotIn("four months", text)

	def test_one_communication_a_customer_with_the_pdfs_and_never_a_second(self):
		first = self.contract()
		customer = self.customer_of(first, email_id="hotel@example.com")
		site = factories.make_site(customer, territory=self.territory)
		second = self.subscribe("2026-01-01", customer=customer, site=site)
		doc = self.listed()
		self.assertEqual(send.send(doctype=PRICES, campaign=doc.name), {"sent": 2, "left": 0})
		self.assertEqual(send.send(doctype=PRICES, campaign=doc.name), {"sent": 0, "left": 0})
		rows = [self.row(first), self.row(second)]
		self.assertEqual(rows[0].letter, rows[1].letter)
		self.assertEqual(
			(rows[0].letter_way, rows[0].letter_sent_by, rows[0].letter_print),
			("E-mail", "Administrator", "TV Price Revision Letter"),
		)
		files = frappe.get_all("File", {"attached_to_name": rows[0].letter}, ["name", "file_name"])
		self.assertEqual(sorted(file.file_name for file in files), sorted([f"{first}.pdf", f"{second}.pdf"]))
		text = (
			PdfReader(io.BytesIO(frappe.get_doc("File", files[0].name).get_content())).pages[0].extract_text()
		)
		self.assertIn("33", text)
		self.assertEqual(frappe.db.count("Email Queue", {"communication": rows[0].letter}), 1)
		links = frappe.get_all("Communication Link", {"parent": rows[0].letter}, pluck="link_name")
		self.assertTrue({first, second} <= set(links))
		self.assertEqual(doc.reload().letters_sent, 2)

	def test_two_workers_at_once_send_one(self):
		name = self.contract()
		self.customer_of(name, email_id="hotel@example.com")
		doc = self.listed()
		print_made = {"fname": "letter.pdf", "fcontent": b"%PDF-"}
		with patch.object(frappe, "attach_print", lambda *_args, **_values: dict(print_made)):
			results = on_own_connections(*[lambda: send.send(doctype=PRICES, campaign=doc.name)] * 2)
		frappe.db.rollback()
		self.assertEqual(sorted(result["sent"] for result in results), [0, 1], results)
		self.assertEqual(frappe.db.count("Email Queue", {"reference_name": self.row(name).customer}), 1)

	def test_killed_in_the_middle_it_goes_on_where_it_was(self):
		names = [self.contract() for _n in range(2)]
		for number, name in enumerate(names):
			self.customer_of(name, email_id=f"hotel{number}@example.com")
		doc = self.listed()
		note, calls = send.note_sent, []

		def die(*arguments):
			calls.append(1)
			if len(calls) == 2:
				raise KeyboardInterrupt
			note(*arguments)

		with patch.object(send, "note_sent", die), self.assertRaises(KeyboardInterrupt):
			send.send(doctype=PRICES, campaign=doc.name)
		frappe.db.rollback()
		self.assertEqual(send.send(doctype=PRICES, campaign=doc.name), {"sent": 1, "left": 0})
		for name in names:
			self.assertEqual(frappe.db.count("Email Queue", {"reference_name": self.row(name).customer}), 1)

	def test_without_an_address_it_waits_for_the_post(self):
		name = self.contract()
		doc = self.listed()
		self.assertEqual(send.send(doctype=PRICES, campaign=doc.name), {"sent": 0, "left": 1})
		self.assertIn("No e-mail address", self.row(name).letter_problem)
		pdf = post.print_waiting(doctype=PRICES, campaign=doc.name)
		self.assertEqual(len(PdfReader(io.BytesIO(pdf)).pages), 1)
		self.assertEqual(post.mark_posted(doctype=PRICES, campaign=doc.name), 1)
		frappe.db.commit()
		row = self.row(name)
		self.assertEqual((row.letter_way, row.letter_problem), ("Post", None))
		self.assertTrue(frappe.db.exists("Communication", row.letter))
		with self.assertRaisesRegex(frappe.ValidationError, "No letter waits"):
			post.print_waiting(doctype=PRICES, campaign=doc.name)

	def test_after_its_letter_the_price_is_applied(self):
		told, untold = self.contract(), self.contract()
		self.customer_of(told, email_id="hotel@example.com")
		doc = self.listed()
		send.send(doctype=PRICES, campaign=doc.name)
		start.start(doc.reload())
		done = self.run_campaign(doc)
		self.assertEqual((done["targets_applied"], done["targets_parked"]), (1, 1))
		self.assertEqual((self.price(told, "2027-01-01"), self.price(untold, "2027-01-01")), ("33.00", ""))

	def test_a_letter_that_no_longer_says_what_holds_is_written_anew(self):
		name = self.contract()
		self.customer_of(name, email_id="hotel@example.com")
		doc = self.listed()
		send.send(doctype=PRICES, campaign=doc.name)
		from subscriber_tv.flows.contracts.change_lines import change_lines

		change_lines(subscription=name, steps=[{"line_id": "L1", "quantity": 3}], effective_date="2026-11-01")
		start.start(doc.reload())
		self.run_campaign(doc)
		row = self.row(name)
		self.assertEqual((row.outcome, row.letter_sent_on), ("Parked", None))
		send.send(doctype=PRICES, campaign=doc.name)
		start.retry_parked(doc.reload())
		self.assertEqual(self.run_campaign(doc)["targets_applied"], 1)

	def test_the_letter_of_a_renewal_is_proof(self):
		name = self.contract(
			"2025-02-15",
			customer_type="Individual",
			terms={"commitment_months": 24, "renewal": "Tacit", "renewal_months": 12, "notice_months": 2},
		)
		self.customer_of(name, email_id="guest@example.com", language="en")
		list_notices(today=frappe.utils.getdate("2026-10-01"))
		frappe.db.commit()
		text = self.page(self.row(name, RENEWAL))
		for part in ("ends on 15 Feb 2027", "renewed until 15 Feb 2028", "15 Dec 2026", "L215-1"):
			self.assertIn(part, text)
		with self.freeze_time("2026-11-14 10:00:00"):
			send.send(doctype=RENEWAL)
		row = self.row(name, RENEWAL)
		self.assertEqual((row.status, row.letter_way), ("Sent", "E-mail"))
		self.assertEqual(str(row.letter_sent_on)[:10], "2026-11-14")

	def test_a_letter_after_its_last_day_is_late(self):
		name = self.contract(
			"2025-01-15",
			terms={"commitment_months": 24, "renewal": "Tacit", "renewal_months": 12, "notice_months": 1},
		)
		self.customer_of(name, email_id="guest@example.com")
		list_notices(today=frappe.utils.getdate("2026-11-01"))
		list_notices(today=frappe.utils.getdate("2026-12-01"))
		frappe.db.commit()
		self.assertEqual(self.row(name, RENEWAL).status, "Missed")
		with self.freeze_time("2026-12-16 10:00:00"):
			send.send(doctype=RENEWAL)
		self.assertEqual(self.row(name, RENEWAL).status, "Missed")  # nobody could refuse any longer
		with self.freeze_time("2026-12-01 10:00:00"):
			send.send(doctype=RENEWAL)
		self.assertEqual(self.row(name, RENEWAL).status, "Late")

	def renewing(self, **customer) -> str:
		"""A consumer's contract whose letter goes out from 15 September to 15 November 2026."""
		name = self.contract(
			"2025-02-15",
			customer_type="Individual",
			terms={"commitment_months": 24, "renewal": "Tacit", "renewal_months": 12, "notice_months": 2},
		)
		if customer:
			self.customer_of(name, **customer)
		return name

	def test_the_daily_job_prepares_and_sends_only_where_it_may(self):
		told, post_only = self.renewing(email_id="consumer@example.com"), self.renewing()
		frappe.db.set_single_value("TV Settings", "send_renewal_letters", 0)
		frappe.db.commit()
		with self.freeze_time("2026-10-20 06:00:00"), patch.object(frappe, "enqueue") as asked:
			renewals.write_renewals()
			self.assertEqual(renewals.write_renewals(), {"prepared": 0, "sending": 0})
			frappe.db.commit()
		asked.assert_not_called()
		rows = [self.row(name, RENEWAL) for name in (told, post_only)]
		self.assertEqual([row.letter_to for row in rows], ["consumer@example.com", None])
		self.assertEqual([row.letter_sent_on for row in rows], [None, None])
		self.assertIsNone(rows[0].letter_problem)
		self.assertIn("No e-mail address", rows[1].letter_problem)

	def test_letters_that_send_themselves_go_out_once_and_in_time(self):
		told, late = (
			self.renewing(email_id="consumer@example.com"),
			self.renewing(email_id="late@example.com"),
		)
		list_notices(today=frappe.utils.getdate("2026-10-01"))
		self.row(late, RENEWAL).db_set("send_until", "2026-10-19")
		frappe.db.set_single_value("TV Settings", "send_renewal_letters", 1)
		self.addCleanup(frappe.db.set_single_value, "TV Settings", "send_renewal_letters", 0)
		frappe.db.commit()
		for _day in range(2):
			with self.freeze_time("2026-10-20 06:00:00"), patch.object(frappe, "enqueue") as asked:
				renewals.write_renewals()
				frappe.db.commit()
				for call in asked.call_args_list:
					self.assertEqual(call.args, ("subscriber_tv.flows.letters.send.send",))
					send.send(doctype=call.kwargs["doctype"], in_time=call.kwargs["in_time"])
		row = self.row(told, RENEWAL)
		self.assertEqual(
			(row.status, row.letter_way, row.letter_to), ("Sent", "E-mail", "consumer@example.com")
		)
		self.assertEqual(frappe.db.count("Email Queue", {"reference_name": row.customer}), 1)
		self.assertIsNone(self.row(late, RENEWAL).letter_sent_on)

	def test_an_address_entered_later_is_found(self):
		name = self.renewing()
		frappe.db.commit()
		with self.freeze_time("2026-10-20 06:00:00"):
			renewals.write_renewals()
			self.customer_of(name, email_id="consumer@example.com")
			renewals.write_renewals()
			frappe.db.commit()
		row = self.row(name, RENEWAL)
		self.assertEqual((row.letter_to, row.letter_problem), ("consumer@example.com", None))

	def test_who_may_write_letters(self):
		doc = self.listed()
		marketing, sales = make_user("TV Marketing"), make_user("TV Sales")
		frappe.set_user(marketing)
		self.assertEqual(api.send(PRICES, doc.name), 0)
		self.assertRaises(frappe.ValidationError, api.send, "Customer")
		frappe.set_user(sales)
		self.assertRaises(frappe.PermissionError, api.mark_posted, PRICES, doc.name)
