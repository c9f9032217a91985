"""Give each kind of person of the demo a login. Run as `python people.py SITE PASSWORD` from the sites folder.

Prints one JSON object: role profile -> e-mail address. Running it again changes nothing but the password.
"""

import json
import sys

import frappe

PEOPLE = {
	"TV Sales": ("Sofia", "Sales"),
	"TV Back Office": ("Bastien", "Back Office"),
	"TV Billing": ("Inès", "Billing"),
	"TV Logistics": ("Lucas", "Logistics"),
	"TV Support": ("Nadia", "Support"),
	"TV Marketing": ("Marc", "Marketing"),
	"TV Management": ("Claire", "Management"),
	"TV Partner": ("Paul", "Partner"),
}


def give_logins(site: str, password: str) -> dict[str, str]:
	frappe.init(site=site)
	frappe.connect()
	logins = {profile: _login(profile, *name, password) for profile, name in PEOPLE.items()}
	# A script of its own: no request ends this transaction.
	frappe.db.commit()
	frappe.destroy()
	return logins


def _login(profile: str, first_name: str, last_name: str, password: str) -> str:
	address = f"{last_name.lower().replace(' ', '-')}@antenne-bleue.example"
	user = frappe.get_doc("User", address) if frappe.db.exists("User", address) else frappe.new_doc("User")
	user.update(
		{
			"email": address,
			"first_name": first_name,
			"last_name": last_name,
			"send_welcome_email": 0,
			"language": "en",
			"role_profile_name": profile if frappe.db.exists("Role Profile", profile) else None,
			"new_password": password,
		}
	)
	# A demo on loopback: the password is printed for everybody to read.
	user.flags.ignore_password_policy = True
	user.save(ignore_permissions=True)
	return address


if __name__ == "__main__":
	print(json.dumps(give_logins(*sys.argv[1:3])))
