"""What the tests of subscriptions share."""

import frappe
from frappe.tests.utils import FrappeTestCase

from subscriber_tv.tests import factories


def make_user(*roles: str) -> str:
	"""A desk user with these roles only."""
	email = f"{frappe.generate_hash(length=8)}@antenne-bleue.example"
	user = frappe.get_doc(
		doctype="User",
		email=email,
		first_name=roles[0],
		send_welcome_email=0,
		roles=[{"role": role} for role in roles],
	)
	return user.insert().name


def state_of(subscription: str) -> str:
	return frappe.db.get_value("TV Subscription", subscription, "state")


class ContractCase(FrappeTestCase):
	def setUp(self):
		# Last in, first out: each test leaves neither its user nor its rows to the next.
		self.addCleanup(frappe.db.rollback)
		self.addCleanup(frappe.set_user, "Administrator")
		factories.make_operator()
		# Before any test stops the clock: Frappe takes a document saved twice at a full second for another's.
		factories.make_offer_version()
