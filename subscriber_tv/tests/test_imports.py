"""CSV files loaded on a site: through the flows, in part when in part wrong, and again without effect."""

from unittest.mock import patch

import frappe
from frappe.permissions import add_user_permission
from frappe.tests.utils import FrappeTestCase

from subscriber_tv.api import imports as api
from subscriber_tv.flows.imports import find
from subscriber_tv.flows.imports.load_file import Report, load_file
from subscriber_tv.flows.imports.load_upload import load_upload
from subscriber_tv.flows.imports.report_problems import problems_csv, save_report
from subscriber_tv.tests import factories
from subscriber_tv.tests.contract_case import make_user

CHANNELS = "channel_code,channel_name,number\nIMP1,Une,901\nIMP2,,902\nIMP3,Trois,903\n"


def load(kind: str, text: str) -> Report:
	return load_file(kind, text.encode(), f"{kind}.csv", checkpoint=lambda: None)


class TestImports(FrappeTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.company = factories.make_operator()
		factories.make_territory("Nord")

	def test_good_rows_are_kept_and_bad_ones_reported_with_their_line(self):
		report = load("channels", CHANNELS.replace("IMP", "PART"))
		self.assertEqual((report.loaded, report.unchanged), (2, 0))
		self.assertEqual(
			[(p.line, p.column, p.code) for p in report.problems], [(3, "channel_name", "required")]
		)
		self.assertTrue(frappe.db.exists("TV Channel", "PART3"))

	def test_of_two_of_one_name_the_one_the_user_may_see_is_found(self):
		hidden = factories.make_customer()
		name = frappe.db.get_value("Customer", hidden, "customer_name")
		twin = frappe.copy_doc(frappe.get_doc("Customer", hidden)).insert().name
		sites = [factories.make_site(customer, site_name="Annexe") for customer in (hidden, twin)]
		self.assertEqual((find.customer(name), find.site(name, "Annexe")), (hidden, sites[0]))
		user = make_user("TV Back Office")
		add_user_permission("Customer", twin, user)
		self.addCleanup(frappe.set_user, "Administrator")
		frappe.set_user(user)
		self.assertEqual((find.customer(name), find.site(name, "Annexe")), (twin, sites[1]))

	def test_a_second_load_changes_nothing(self):
		load("channels", CHANNELS)
		before = frappe.db.get_value("TV Channel", "IMP1", "modified")
		report = load("channels", CHANNELS)
		self.assertEqual((report.loaded, report.unchanged), (0, 2))
		self.assertEqual(frappe.db.get_value("TV Channel", "IMP1", "modified"), before)

	def test_a_row_that_erpnext_refuses_leaves_nothing_behind(self):
		report = load(
			"customers",
			"customer_name,segment,sector\nImport Good,Hotel,Nord\nImport Bad,Hotel,Atlantis\n",
		)
		self.assertEqual(report.loaded, 1)
		(problem,) = report.problems
		self.assertEqual(problem.line, 3)
		self.assertIn("Atlantis", problem.value)
		self.assertFalse(frappe.db.exists("Customer", {"customer_name": "Import Bad"}))

	def test_an_offer_version_is_compared_and_never_changed(self):
		factories.make_bouquet("IMPB", channels=("IMPC",))
		item = factories.make_item("TV-IMPORT")
		header = "offer_code,offer_name,version,valid_from,bouquets,charge_code,item,unit_price\n"
		row = f"IMPO,Import,1,2026-01-01,IMPB,BASE,{item},12.50\n"
		self.assertEqual(load("offers", header + row).problems, [])
		self.assertEqual(load("offers", header + row).unchanged, 1)
		(problem,) = load("offers", header + row.replace("12.50", "13.50")).problems
		self.assertIn("never changes", problem.value)

	def test_a_subscription_comes_with_its_history(self):
		customer = factories.make_customer()
		site = frappe.get_doc("TV Site", factories.make_site(customer))
		offer = frappe.get_doc("TV Offer Version", factories.make_offer_version())
		self.assertEqual(
			load(
				"subscriptions",
				"reference,customer,site,start_on,offer_code,version,quantity\n"
				f"IMP-SUB-1,{customer},{site.site_name},2026-01-05,{offer.offer},{offer.version_no},3\n",
			).problems,
			[],
		)
		history = (
			"subscription,event,effective_date\n"
			"IMP-SUB-1,request_documents,2026-01-06\n"
			"IMP-SUB-1,resume,2026-01-07\n"
			"IMP-SUB-1,complete_documents,08/01/2026\n"
		)
		report = load("changes", history)
		self.assertEqual((report.loaded, [problem.line for problem in report.problems]), (2, [3]))
		name = frappe.db.get_value("TV Subscription", {"external_reference": "IMP-SUB-1"})
		self.assertEqual(frappe.db.get_value("TV Subscription", name, "state"), "Awaiting Installation")
		self.assertEqual(load("changes", history).unchanged, 2)

	def test_the_report_is_a_file_that_no_spreadsheet_runs(self):
		report = load("channels", "channel_code,channel_name\n=1+1,x\n")
		text = problems_csv(report).decode("utf-8-sig")
		self.assertIn("channel_code", text)
		self.assertNotIn(",=1+1", text)
		self.assertTrue(save_report(report).startswith("/private/files/"))
		self.assertIsNone(save_report(Report("channels", "none.csv")))

	def test_only_the_right_role_loads_a_kind(self):
		user = "import-support@example.com"
		if not frappe.db.exists("User", user):
			doc = frappe.get_doc(
				{"doctype": "User", "email": user, "first_name": "Import", "send_welcome_email": 0}
			)
			doc.append("roles", {"role": "TV Support"})
			doc.insert(ignore_permissions=True)
		with self.set_user(user):
			self.assertRaises(
				frappe.PermissionError, api.import_csv, kind="channels", file_url="/private/files/x"
			)
		self.assertRaises(frappe.ValidationError, api.import_csv, kind="secrets", file_url="/private/files/x")
		self.assertRaises(
			frappe.PermissionError, api.import_csv, kind="channels", file_url="/private/files/none.csv"
		)

	def test_an_uploaded_file_is_loaded_and_its_owner_is_told(self):
		doc = frappe.get_doc(
			{
				"doctype": "File",
				"file_name": "uploaded-channels.csv",
				"is_private": 1,
				"content": CHANNELS.replace("IMP", "UPL").encode(),
			}
		).insert()
		with patch("frappe.enqueue") as enqueue:
			api.import_csv(kind="channels", file_url=doc.file_url)
		job = enqueue.call_args.kwargs
		with patch.object(frappe.db, "commit"), patch("frappe.publish_realtime") as told:
			answer = load_upload(kind=job["kind"], file=job["file"])
		self.assertEqual((answer["loaded"], answer["problem_count"]), (2, 1))
		self.assertTrue(answer["report_url"])
		self.assertEqual(told.call_args.kwargs["user"], frappe.session.user)
