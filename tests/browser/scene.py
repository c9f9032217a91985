"""Sets the scene for the browser tests. Run with the bench's Python as `python scene.py SITE` in the sites folder.

A hotel's subscription waits for its activation, two TVs stand in its rooms; another hotel was billed for a part of
November. A back-office clerk and a billing clerk have a login.
Prints what the tests need, as JSON.
"""

import json
import sys

import frappe

CLERK = "clerk@antenne-bleue.example"
BILLER = "biller@antenne-bleue.example"
PASSWORD = "canal-orange-42-girafe"


def set_scene(site: str) -> dict:
	frappe.init(site=site)
	frappe.connect()
	frappe.set_user("Administrator")
	from subscriber_tv.flows.devices.deliver import deliver
	from subscriber_tv.tests import factories

	subscription = factories.make_subscription(
		"Awaiting Activation",
		customer=factories.make_customer("Hôtel des Tilleuls"),
		quantity=2,
	)
	serials = factories.receive_devices(2)
	deliver(subscription=subscription, serials=serials)
	_make_user(CLERK, "Bruno", "Lefèvre", "TV Back Office")
	_make_user(BILLER, "Inès", "Moreau", "TV Billing")
	frappe.db.commit()
	billed = _bill_a_hotel()
	frappe.destroy()
	return {
		"subscription": subscription,
		"serials": serials,
		"user": CLERK,
		"biller": BILLER,
		"password": PASSWORD,
		"billed": billed,
	}


def _bill_a_hotel() -> dict:
	"""Four TVs at 30.00 from 11 November, billed on that day: 20 days of 30."""
	from subscriber_tv.tests import factories
	from subscriber_tv.tests.billing_case import bill_payer, make_version

	subscription = factories.make_subscription(
		"Active",
		customer=factories.make_customer("Hôtel du Marché"),
		activated_on="2026-11-11",
		anchor_day=1,
		lines=[{"offer_version": make_version("BROWSER-TV"), "quantity": 4}],
	)
	frappe.db.commit()
	payer, company = frappe.db.get_value("TV Subscription", subscription, ["payer", "company"])
	invoice = bill_payer(payer=payer, company=company, posting_date="2026-11-11", bill_until="2026-11-11")
	frappe.db.commit()
	rows = frappe.get_all("Sales Invoice Item", {"parent": invoice}, pluck="name", order_by="idx")
	return {"subscription": subscription, "invoice": invoice, "row": rows[1]}


def _make_user(email: str, first_name: str, last_name: str, profile: str) -> None:
	if frappe.db.exists("User", email):
		return
	user = frappe.get_doc(
		{
			"doctype": "User",
			"email": email,
			"first_name": first_name,
			"last_name": last_name,
			"language": "en",
			"send_welcome_email": 0,
			"user_type": "System User",
			"role_profile_name": profile,
			"new_password": PASSWORD,
		}
	)
	user.insert()


if __name__ == "__main__":
	print(json.dumps(set_scene(sys.argv[1])))
