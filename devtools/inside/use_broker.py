"""Tell a site of the demo's message broker. Run as `python use_broker.py SITE PORT` in the sites folder.

The broker listens on loopback and asks nobody for a password; in production both are otherwise (docs/mqtt.md).
"""

import sys

import frappe


def use_broker(site: str, port: int) -> None:
	frappe.init(site=site)
	frappe.connect()
	settings = {
		"mqtt_host": "127.0.0.1",
		"mqtt_port": port,
		"mqtt_tls": 0,
		"mqtt_operator": "demo",
		"mqtt_enabled": 1,
	}
	frappe.db.set_single_value("TV Settings", settings)
	# A script of its own: no request ends this transaction.
	frappe.db.commit()
	frappe.clear_document_cache("TV Settings", "TV Settings")
	frappe.destroy()


if __name__ == "__main__":
	use_broker(sys.argv[1], int(sys.argv[2]))
