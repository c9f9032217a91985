"""Sets the scene for the browser tests. Run with the bench's Python as `python scene.py SITE` in the sites folder.

A hotel's subscription waits for its activation, two TVs stand in its rooms, one in another hotel's; a third hotel was billed
for a part of November. Two back-office clerks, of whom one works in French, and a billing clerk have a login.
Prints what the tests need, as JSON.
"""

import json
import sys

import frappe

CLERK = "clerk@antenne-bleue.example"
CLERK_FR = "agent@antenne-bleue.example"
BILLER = "biller@antenne-bleue.example"
CHANNELS = (
	("Antenne Une", "General"),
	("Le Phare", "General"),
	("Canal du Midi", "General"),
	("Minuit Info", "News"),
	("Ciné Lumière", "Cinema"),
	("Stade Plus", "Sport"),
	("Terre et Mer", "Documentary"),
	("Farandole", "Youth"),
)
PASSWORD = "canal-orange-42-girafe"


def set_scene(site: str) -> dict:
	frappe.init(site=site)
	frappe.connect()
	frappe.set_user("Administrator")
	from subscriber_tv.flows.devices.deliver import deliver
	from subscriber_tv.tests import factories

	lines = [{"offer_version": _make_offer(), "quantity": 2}]
	subscription = factories.make_subscription(
		"Awaiting Activation", customer=factories.make_customer("Hôtel des Tilleuls"), lines=lines
	)
	serials = factories.receive_devices(3)
	deliver(subscription=subscription, serials=serials[:2])
	spare = factories.make_subscription(
		"Awaiting Activation", customer=factories.make_customer("Hôtel des Lilas"), quantity=1
	)
	deliver(subscription=spare, serials=serials[2:])
	_make_user(CLERK, "Bruno", "Lefèvre", "TV Back Office")
	_make_user(CLERK_FR, "Awa", "Diallo", "TV Back Office", language="fr")
	_make_user(BILLER, "Inès", "Moreau", "TV Billing")
	frappe.db.commit()
	model = frappe.db.get_value("TV Device", serials[0], "model")
	sites = frappe.get_all("TV Device", {"name": ("in", serials)}, ["name", "site"])
	places = {tv.name: frappe.db.get_value("TV Site", tv.site, "site_name") for tv in sites}
	billed = _bill_a_hotel()
	frappe.destroy()
	return {
		"subscription": subscription,
		"spare": spare,
		"serials": serials,
		"model": model,
		"places": places,
		"user": CLERK,
		"user_fr": CLERK_FR,
		"biller": BILLER,
		"password": PASSWORD,
		"billed": billed,
	}


def _make_offer() -> str:
	"""A hotel's offer with channels as people know them: name, number, genre."""
	from subscriber_tv.tests import factories

	for number, (name, genre) in enumerate(CHANNELS, start=1):
		factories.make_channel(f"C{number:03}", channel_name=name, lcn=number, genre=genre, language="fr")
	frappe.db.set_value("TV Channel", "C005", "age_rating", "From 16 years")
	codes = [f"C{number:03}" for number in range(1, len(CHANNELS) + 1)]
	bouquet = factories.make_bouquet("ESSENTIEL", channels=tuple(codes), bouquet_name="Bouquet Essentiel")
	factories.make_offer("HOTEL-CONFORT", offer_name="Hôtel Confort")
	return factories.make_offer_version("HOTEL-CONFORT", bouquets=[{"bouquet": bouquet}])


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


def _make_user(email: str, first_name: str, last_name: str, profile: str, language: str = "en") -> None:
	if frappe.db.exists("User", email):
		return
	user = frappe.get_doc(
		{
			"doctype": "User",
			"email": email,
			"first_name": first_name,
			"last_name": last_name,
			"language": language,
			"send_welcome_email": 0,
			"user_type": "System User",
			"role_profile_name": profile,
			"new_password": PASSWORD,
		}
	)
	user.insert()


if __name__ == "__main__":
	print(json.dumps(set_scene(sys.argv[1])))
