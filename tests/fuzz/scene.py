"""Sets the scene for hostile input. Run with the bench's Python as `python scene.py SITE` in the sites folder.

TVs with and without a key store are bound to subscriptions that run, and to one that is suspended; others stand in
stock. Prints what the tests need, as JSON: nobody but a test ever has a TV's keys.
"""

import json
import os
import sys

import frappe

PAIRS = 6
STOCK = 12


def set_scene(site: str) -> dict:
	frappe.init(site=site)
	frappe.connect()
	frappe.set_user("Administrator")
	from subscriber_tv.flows.activation import bind, publish
	from subscriber_tv.flows.contracts.change_state import change_state
	from subscriber_tv.tests import factories
	from subscriber_tv.tests.television import TV
	from subscriber_tv.tests.test_activation import delivered_tv, line_of

	tvs = []
	for number in range(2 * PAIRS):
		subscription = factories.make_subscription("Awaiting Activation")
		tv = TV(delivered_tv(subscription).serial, small=bool(number % 2))
		bind.bind_by_code(subscription=subscription, line_id=line_of(subscription), code=tv.code())
		if number >= 2 * PAIRS - 2:
			change_state(subscription=subscription, event="suspend")
		key = "" if tv.secret else _pem(tv)
		tvs.append({"serial": tv.serial, "secret": tv.secret, "pem": key, "parts": tv.parts})
	stock = factories.receive_devices(STOCK)
	while publish.publish_pending():
		pass
	frappe.db.commit()
	masters = open(os.path.abspath(frappe.conf.subscriber_tv_masters)).read()
	return {"tvs": tvs, "stock": stock, "channel": "CH1", "masters": masters}


def _pem(tv) -> str:
	from subscriber_tv.core.devices import jws

	return jws.pem_of(tv.signer._key).decode()


if __name__ == "__main__":
	print(json.dumps(set_scene(sys.argv[1])))
