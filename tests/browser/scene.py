"""Sets the scene for the browser tests. Run with the bench's Python as `python scene.py SITE` in the sites folder.

A hotel's subscription waits for its activation, two TVs stand in its rooms, and a back-office clerk has a login.
Prints what the tests need, as JSON.
"""

import json
import sys

import frappe

CLERK = "clerk@antenne-bleue.example"
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
	_make_clerk()
	frappe.db.commit()
	frappe.destroy()
	return {"subscription": subscription, "serials": serials, "user": CLERK, "password": PASSWORD}


def _make_clerk() -> None:
	if frappe.db.exists("User", CLERK):
		return
	clerk = frappe.get_doc(
		{
			"doctype": "User",
			"email": CLERK,
			"first_name": "Bruno",
			"last_name": "Lefèvre",
			"language": "en",
			"send_welcome_email": 0,
			"user_type": "System User",
			"role_profile_name": "TV Back Office",
			"new_password": PASSWORD,
		}
	)
	clerk.insert()


if __name__ == "__main__":
	print(json.dumps(set_scene(sys.argv[1])))
