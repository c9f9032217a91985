"""Walk a new site through ERPNext's setup wizard as a small French operator would.

Run as `python wizard.py SITE` from the sites folder.
"""

import sys

import frappe
from frappe.desk.page.setup_wizard.setup_wizard import setup_complete
from frappe.utils import nowdate


def answer_wizard(site: str) -> None:
	frappe.init(site=site)
	frappe.connect()
	year = nowdate()[:4]
	outcome = setup_complete(
		{
			"currency": "EUR",
			"country": "France",
			"timezone": "Europe/Paris",
			"language": "English",
			"full_name": "Admin Operator",
			"email": "admin@antenne-bleue.example",
			"password": "admin-desk",
			"company_name": "Antenne Bleue",
			"company_abbr": "AB",
			"fy_start_date": f"{year}-01-01",
			"fy_end_date": f"{year}-12-31",
			"chart_of_accounts": "France - Plan Comptable General avec code",
		}
	)
	# The wizard's steps run outside a request here, so nobody else commits them.
	frappe.db.commit()
	if outcome != {"status": "ok"}:
		raise SystemExit(f"the setup wizard answered {outcome}")
	frappe.destroy()


if __name__ == "__main__":
	answer_wizard(sys.argv[1])
