"""The shortcuts of posting answer what Frappe would have answered."""

import random
from unittest.mock import patch

import frappe
from frappe.tests.utils import FrappeTestCase
from frappe.utils import sanitize_html

from subscriber_tv.ledger.posting import memory
from subscriber_tv.ledger.posting.clean_text import is_clean
from subscriber_tv.ledger.posting.memory import looking_seldom, remembering
from subscriber_tv.tests import factories

SEED = 11
PIECES = (
	"<br>",
	"<br>\n",
	"<b>",
	"</b>",
	"<table>",
	"<tr><td>",
	"</td></tr>",
	"</table>",
	'<div class="x" style="overflow-x: auto;">',
	"</div>",
	"<script>",
	"<p onclick='x'>",
	"<",
	"&",
	"&nbsp;",
	"www.tv.fr",
	"tv.fr",
	"a@b.fr",
	"1 234.50 €",
	"12, rue de l'Été",
	"St. Paul",
	"20.0 %",
	"\x0b",
	" ",
	"\n",
	'"',
)


class TestPostingShortcuts(FrappeTestCase):
	def test_a_text_said_to_be_clean_is_left_as_it_is(self):
		chance, clean = random.Random(SEED), 0
		for _number in range(3000):
			text = "".join(chance.choices(PIECES, k=chance.randint(1, 7)))
			for linkify in (False, True):
				if is_clean(text, linkify=linkify):
					clean += 1
					self.assertEqual(sanitize_html(text, linkify=linkify), text, f"seed {SEED}")
		self.assertGreater(clean, 100)

	def test_what_invoices_carry_is_known_to_be_clean(self):
		self.assertTrue(is_clean("1 rue de la Paix<br>\n75002 Paris<br>France<br>\n", linkify=False))
		self.assertFalse(is_clean("1 rue<script>alert(1)</script>", linkify=False))
		self.assertFalse(is_clean("see www.tv.fr<br>", linkify=True))

	def test_a_record_read_as_a_whole_answers_for_its_fields(self):
		customer = factories.make_customer("Shortcut")
		questions = (
			(customer, "customer_group", {}),
			(customer, ["customer_name", "disabled"], {"as_dict": True}),
			(customer, ["disabled", "customer_name", "disabled"], {}),
			({"name": customer, "disabled": 0}, "name", {}),
			({"name": customer, "disabled": 1}, "name", {}),
			({"name": customer, "customer_group": "none such"}, "name", {}),
		)
		ask = lambda: [frappe.db.get_value("Customer", who, what, **how) for who, what, how in questions]  # noqa: E731
		expected = ask()
		with remembering():
			frappe.get_doc("Customer", customer)
			with patch.object(frappe.db, "_cursor", wraps=frappe.db._cursor) as cursor:
				found = ask()
		self.assertEqual(found, expected)
		# Whether two texts are equal only the database can tell.
		self.assertEqual(cursor.execute.call_count, 1)

	def test_a_record_written_meanwhile_is_read_anew(self):
		customer = factories.make_customer("Shortcut")
		with remembering():
			frappe.get_doc("Customer", customer)
			frappe.db.set_value("Customer", customer, "customer_details", "written")
			self.assertEqual(frappe.db.get_value("Customer", customer, "customer_details"), "written")

	def test_a_rare_table_without_rows_is_not_asked(self):
		frappe.db.delete("Party Link")
		self.addCleanup(frappe.db.rollback)
		asks = lambda: (  # noqa: E731
			frappe.db.get_value("Party Link", {"primary_party": "Shortcut"}, "name"),
			frappe.db.get_values(
				"Party Link", {"primary_party": "Shortcut"}, ("name", "owner"), as_dict=True
			),
			frappe.db.get_value("Party Link", {"primary_party": "Shortcut"}, "count(name)"),
		)
		with remembering():
			with patch.object(frappe.db, "_cursor", wraps=frappe.db._cursor) as cursor:
				self.assertEqual(asks()[:2], (None, []))
			self.assertLessEqual(cursor.execute.call_count, 1)  # the count
			self.assertEqual(asks()[2], 0)
			link = frappe.new_doc("Party Link", primary_party="Shortcut", name="Shortcut")
			link.db_insert()
			self.assertEqual(asks()[0], "Shortcut")

	def test_a_rare_table_that_an_invoice_has_written_is_asked_by_the_next(self):
		frappe.db.delete("Party Link")
		self.addCleanup(frappe.db.rollback)
		with looking_seldom():
			with remembering():
				frappe.new_doc("Party Link", primary_party="Shortcut", name="Shortcut").db_insert()
			with remembering():
				found = frappe.db.get_value("Party Link", {"primary_party": "Shortcut"}, "name")
		self.assertEqual(found, "Shortcut")

	def test_a_look_within_an_invoice_asks_the_database_each_time(self):
		with (
			remembering() as found,
			patch.object(frappe.db, "_cursor", wraps=frappe.db._cursor) as cursor,
		):
			found.look()
			found.look()
		self.assertEqual(cursor.execute.call_count, 2)

	def test_the_masters_are_looked_at_once_a_second_in_a_run_and_each_time_outside(self):
		clock = [100.0]
		with (
			patch.object(memory.time, "monotonic", lambda: clock[0]),
			patch.object(memory, "_marks", wraps=memory._marks) as looks,
		):
			with looking_seldom():
				for moment, expected in ((100.0, 1), (100.4, 1), (100.9, 1), (101.0, 2), (101.5, 2)):
					clock[0] = moment
					with remembering():
						pass
					self.assertEqual(looks.call_count, expected, moment)
			for expected in (3, 4):
				with remembering():
					pass
				self.assertEqual(looks.call_count, expected)
