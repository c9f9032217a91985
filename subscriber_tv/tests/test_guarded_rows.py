"""What a REST client can do to the rows of a table, one by one, past the document they belong to."""

import frappe
from frappe.tests.utils import FrappeTestCase

from subscriber_tv.flows.guard_rows import GuardedRow
from subscriber_tv.tests import factories
from subscriber_tv.tests.contract_case import make_user


class TestGuardedRows(FrappeTestCase):
	def setUp(self):
		self.addCleanup(frappe.db.rollback)
		self.addCleanup(frappe.set_user, "Administrator")
		factories.make_operator()

	def refuse(self, call) -> None:
		with self.assertRaises(frappe.ValidationError) as refused:
			call()
		self.assertIn("not written by itself", str(refused.exception))

	def test_the_lines_of_a_running_contract(self):
		name = factories.make_subscription("Active")
		row = frappe.get_doc("TV Subscription", name).lines[0]
		frappe.set_user(make_user("TV Back Office"))
		line = frappe.get_doc("TV Subscription Line", row.name)
		line.quantity = 99
		self.refuse(line.save)
		self.refuse(lambda: frappe.delete_doc("TV Subscription Line", row.name))
		self.refuse(frappe.copy_doc(row).insert)
		self.assertEqual(frappe.db.get_value("TV Subscription Line", row.name, "quantity"), 1)

	def test_the_charges_of_a_submitted_version(self):
		version = frappe.get_doc("TV Offer Version", factories.make_offer_version())
		frappe.set_user(make_user("TV Billing"))
		charge = frappe.copy_doc(version.charges[1])
		charge.update({"charge_code": "MORE", "docstatus": 1})
		self.refuse(charge.insert)

	def test_the_channels_of_a_bouquet(self):
		bouquet = frappe.get_doc("TV Bouquet", factories.make_bouquet())
		frappe.set_user(make_user("TV Marketing"))
		row = frappe.copy_doc(bouquet.channels[0])
		row.channel = "CH2"
		self.refuse(row.insert)

	def test_every_table_of_the_app_is_guarded(self):
		for doctype in frappe.get_all("DocType", {"module": "Subscriber TV", "istable": 1}, pluck="name"):
			with self.subTest(doctype=doctype):
				self.assertIsInstance(frappe.new_doc(doctype), GuardedRow)
