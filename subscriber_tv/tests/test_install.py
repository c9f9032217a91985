"""What the app adds to a site, and that it takes the same away; dropping tables is tested as processes of their own."""

import json
import os
import stat
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import frappe
from frappe.tests.utils import FrappeTestCase

from subscriber_tv.flows.imports.restore_backup import restore_backup
from subscriber_tv.setup import install, keys, operator, roles, taxes, uninstall
from subscriber_tv.setup.backup import own_prefixes, tv_doctypes, write_backup
from subscriber_tv.setup.custom_fields import doctypes_with_fields
from subscriber_tv.tests import factories

OPEN_ITEMS = "subscriber_tv.flows.billing.open_items"


class TestInstall(FrappeTestCase):
	@classmethod
	def setUpClass(cls):
		super().setUpClass()
		cls.company = factories.make_operator()

	def test_fields_and_roles_of_the_one_dict_are_there(self):
		for doctype, fields in doctypes_with_fields().items():
			names = {field.fieldname for field in frappe.get_meta(doctype).fields}
			self.assertLessEqual({field["fieldname"] for field in fields}, names, doctype)
		for role, values in roles.ROLES.items():
			self.assertEqual(frappe.db.get_value("Role", role, "desk_access"), values["desk_access"], role)

	def test_a_copied_invoice_is_no_bill(self):
		for field in doctypes_with_fields()["Sales Invoice Item"]:
			if field["fieldtype"] not in ("Section Break", "Column Break"):
				self.assertTrue(field["no_copy"], field["fieldname"])

	def test_key_files_are_for_the_site_alone_and_never_replaced(self):
		for key in keys.FILES:
			path = Path(frappe.conf[key])
			self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o400)
			self.assertFalse({"files", "backups", "public"} & set(path.parts[-3:]))
		before = Path(frappe.conf[keys.LEASE_KEY]).read_text()
		install.after_migrate()
		self.assertEqual(Path(frappe.conf[keys.LEASE_KEY]).read_text(), before)

	def test_the_operator_is_set_up_as_an_accountant_would(self):
		self.assertEqual(operator.check_operator(self.company), [])
		numbers = {
			field: frappe.db.get_value(
				"Account", frappe.db.get_value("Company", self.company, field), "account_number"
			)
			for field in (
				"default_receivable_account",
				"default_income_account",
				"default_deferred_revenue_account",
			)
		}
		self.assertEqual(list(numbers.values()), ["4111", "706", "487"])

	def test_setting_up_again_changes_nothing(self):
		before = frappe.db.get_value("Company", self.company, "modified")
		self.assertEqual(operator.set_up_operator(self.company), [])
		self.assertEqual(frappe.db.get_value("Company", self.company, "modified"), before)

	def test_a_wrong_account_is_found(self):
		wrong = frappe.db.get_value("Account", {"company": self.company, "account_number": "4188"})
		frappe.db.set_value("Company", self.company, "default_receivable_account", wrong)
		frappe.clear_document_cache("Company", self.company)
		(finding,) = operator.check_operator(self.company)
		self.assertEqual(finding.found, wrong)
		self.assertIn("4111", finding.expected)
		operator.set_up_operator(self.company)
		self.assertEqual(operator.check_operator(self.company), [])

	def test_every_item_tax_template_names_every_vat_account(self):
		heads = set(
			frappe.get_all(
				"Sales Taxes and Charges", {"parent": taxes.tax_master(self.company)}, pluck="account_head"
			)
		)
		for rate in taxes.VAT_ACCOUNTS:
			rows = frappe.get_all(
				"Item Tax Template Detail",
				{"parent": taxes.item_tax_template(self.company, rate)},
				["tax_type", "tax_rate"],
			)
			self.assertEqual({row.tax_type for row in rows}, heads)
			self.assertEqual(sorted(row.tax_rate for row in rows), [0, float(rate)])

	def test_uninstalling_is_refused_while_money_is_open(self):
		with (
			patch(f"{OPEN_ITEMS}.unbilled_subscriptions", return_value=["TVS-00001"]),
			patch(f"{OPEN_ITEMS}.unpaid_invoices", return_value=[]),
		):
			with self.assertRaisesRegex(frappe.ValidationError, "TVS-00001"):
				uninstall.refuse_while_open()
			with patch.dict(os.environ, {uninstall.ANYWAY.upper(): "1"}):
				uninstall.refuse_while_open()

	def test_a_backup_holds_every_row_and_no_key(self):
		subscription = factories.make_subscription("Active")
		with TemporaryDirectory() as folder:
			path = write_backup(folder)
			self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
			with zipfile.ZipFile(path) as archive:
				manifest = json.loads(archive.read("manifest.json"))
				rows = [json.loads(line) for line in archive.read("rows/TV Subscription.jsonl").splitlines()]
				everything = b"".join(archive.read(name) for name in archive.namelist())
		self.assertIn(subscription, {row["name"] for row in rows})
		self.assertEqual(manifest["members"]["rows/TV Subscription.jsonl"]["rows"], len(rows))
		self.assertNotIn(b"PRIVATE KEY", everything)
		self.assertNotIn(Path(frappe.conf[keys.FEED_SECRET]).read_bytes().strip(), everything)

	def test_a_restore_puts_back_what_is_missing_and_nothing_else(self):
		subscription = factories.make_subscription("Suspended")
		with TemporaryDirectory() as folder:
			path = write_backup(folder)
			frappe.db.delete("TV Subscription", {"name": subscription})
			frappe.db.delete("TV Subscription Line", {"parent": subscription})
			frappe.db.delete("TV Subscription Change", {"subscription": subscription})
			result = restore_backup(path, checkpoint=lambda: None)
			self.assertEqual(result.rows["TV Subscription"], 1)
			self.assertEqual(frappe.get_doc("TV Subscription", subscription).state, "Suspended")
			again = restore_backup(path, checkpoint=lambda: None)
		self.assertEqual(sum(again.rows.values()), 0)

	def test_what_the_app_wrote_on_a_customer_comes_back(self):
		head, child, other = (factories.make_customer() for _n in range(3))
		frappe.db.set_value("Customer", child, {"tv_parent": head, "tv_invoicing": "One per Site"})
		frappe.db.set_value("Customer", other, {"tv_parent": "", "tv_invoicing": ""})
		with TemporaryDirectory() as folder:
			path = write_backup(folder)
			with zipfile.ZipFile(path) as archive:
				told = [json.loads(line) for line in archive.read("fields/Customer.jsonl").splitlines()]
			self.assertNotIn(other, {row["name"] for row in told})
			frappe.db.set_value("Customer", child, {"tv_parent": None, "tv_invoicing": None})
			restore_backup(path, checkpoint=lambda: None)
		kept = frappe.db.get_value("Customer", child, ["tv_parent", "tv_invoicing"])
		self.assertEqual(kept, (head, "One per Site"))

	def test_what_the_app_wrote_on_a_credit_note_comes_back(self):
		"""A credit note of a dispute was made by no run: it has a mark of its own."""
		note = frappe.get_doc(
			{"doctype": "Sales Invoice", "name": f"NOTE-{frappe.generate_hash()}", "tv_dispute": "TVR-TEST"}
		)
		note.db_insert()
		with TemporaryDirectory() as folder:
			path = write_backup(folder)
			frappe.db.set_value("Sales Invoice", note.name, "tv_dispute", None)
			restore_backup(path, checkpoint=lambda: None)
		self.assertEqual(frappe.db.get_value("Sales Invoice", note.name, "tv_dispute"), "TVR-TEST")

	def test_no_two_kinds_of_documents_share_a_counter(self):
		found = [frappe.get_meta(doctype).get_field("naming_series") for doctype in tv_doctypes()]
		series = [field.options.split(".")[0] for field in found if field]
		self.assertEqual(sorted(series), sorted(set(series)))
		self.assertEqual(own_prefixes(), sorted(series))

	def test_a_restored_site_looks_at_every_payer(self):
		"""Invoices may have been cancelled while nobody watched."""
		payer = factories.make_customer()
		watch = frappe.get_doc({"doctype": "TV Payer Watch", "payer": payer, "company": self.company})
		watch.insert(set_name=f"{payer}|test", ignore_permissions=True)
		with TemporaryDirectory() as folder:
			path = write_backup(folder)
			frappe.db.delete("TV Payer Watch", {"name": watch.name})
			restore_backup(path, checkpoint=lambda: None)
		self.assertFalse(frappe.db.exists("TV Payer Watch", watch.name))

	def test_a_damaged_or_foreign_zip_is_refused(self):
		with TemporaryDirectory() as folder:
			path = write_backup(folder)
			damaged = Path(folder) / "damaged.zip"
			with zipfile.ZipFile(path) as archive, zipfile.ZipFile(damaged, "w") as copy:
				for name in archive.namelist():
					copy.writestr(
						name, archive.read(name) + (b"{}\n" if name == "rows/TV Site.jsonl" else b"")
					)
			with self.assertRaisesRegex(frappe.ValidationError, "TV Site"):
				restore_backup(damaged, checkpoint=lambda: None)
			foreign = Path(folder) / "foreign.zip"
			with zipfile.ZipFile(foreign, "w") as archive:
				archive.writestr("../../evil", "x")
			self.assertRaises(frappe.ValidationError, restore_backup, foreign, checkpoint=lambda: None)
			self.assertRaises(frappe.ValidationError, restore_backup, Path(folder) / "none.zip")
