"""Ready a site for the demo's TVs: the message broker they listen to, and the rules their health is held to.

Run as `python ready_site.py SITE PORT` in the sites folder. The broker listens on loopback and asks nobody for a password; in
production both are otherwise (docs/mqtt.md).
"""

import sys

import frappe

RULES = (
	{
		"rule_name": "Téléviseur trop chaud",
		"signal": "Temperature",
		"threshold": 65,
		"hours": 1,
		"scope": "TV",
	},
	{
		"rule_name": "Réception faible",
		"signal": "Signal Strength",
		"threshold": -85,
		"hours": 1,
		"scope": "TV",
	},
)


def ready(site: str, port: int) -> None:
	frappe.init(site=site)
	frappe.connect()
	broker = {
		"mqtt_host": "127.0.0.1",
		"mqtt_port": port,
		"mqtt_tls": 0,
		"mqtt_operator": "demo",
		"mqtt_enabled": 1,
	}
	frappe.db.set_single_value("TV Settings", broker)
	frappe.clear_document_cache("TV Settings", "TV Settings")
	# Who has rules of his own keeps them.
	if not frappe.db.count("TV Health Rule"):
		for rule in RULES:
			frappe.get_doc({"doctype": "TV Health Rule", **rule}).insert()
	# A script of its own: no request ends this transaction.
	frappe.db.commit()
	frappe.destroy()


if __name__ == "__main__":
	ready(sys.argv[1], int(sys.argv[2]))
