"""Give the demo's users one password that can be printed. Run as `python people.py SITE PASSWORD` in the sites folder.

Prints one JSON object: kind of person -> e-mail address.
"""

import json
import sys

import frappe


def give_logins(site: str, password: str) -> dict[str, str]:
	frappe.init(site=site)
	frappe.connect()
	from subscriber_tv.setup import demo_users

	frappe.set_user("Administrator")
	demo_users.make_users(password)
	# A script of its own: no request ends this transaction.
	frappe.db.commit()
	frappe.destroy()
	return {profile: f"{mailbox}@{demo_users.DOMAIN}" for mailbox, *_name, profile in demo_users.USERS}


if __name__ == "__main__":
	print(json.dumps(give_logins(*sys.argv[1:3])))
