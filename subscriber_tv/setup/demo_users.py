"""One demo user per kind of person, each with that role's profile."""

import secrets

import frappe

USERS: tuple[tuple[str, str, str, str], ...] = (
	("ventes", "Élise", "Caron", "TV Sales"),
	("backoffice", "Bruno", "Lefèvre", "TV Back Office"),
	("facturation", "Philippe", "Marchal", "TV Billing"),
	("logistique", "Karim", "Aubert", "TV Logistics"),
	("support", "Julie", "Simon", "TV Support"),
	("marketing", "Anaïs", "Robin", "TV Marketing"),
	("direction", "Claude", "Vasseur", "TV Management"),
	("partenaire", "Yann", "Le Goff", "TV Partner"),
)
"""Mailbox, first name, last name, role profile."""

DOMAIN = "antenne-bleue.example"


def make_users(password: str = "") -> dict[str, str]:
	"""Create the missing users, or give all of them this password; return e-mail -> password ("" = unchanged)."""
	logins = {}
	for mailbox, first_name, last_name, profile in USERS:
		email = f"{mailbox}@{DOMAIN}"
		logins[email] = password
		if frappe.db.exists("User", email):
			if password:
				_save(frappe.get_doc("User", email), password)
			continue
		logins[email] = password or secrets.token_urlsafe(12)
		doc = frappe.get_doc(
			{
				"doctype": "User",
				"email": email,
				"first_name": first_name,
				"last_name": last_name,
				"language": "fr",
				"time_zone": "Europe/Paris",
				"send_welcome_email": 0,
				"user_type": "System User",
				"role_profile_name": profile,
			}
		)
		_save(doc, logins[email])
	return logins


def remove_users() -> None:
	"""Delete the demo users; one who left traces in other people's documents is disabled instead."""
	for mailbox, *_rest in USERS:
		email = f"{mailbox}@{DOMAIN}"
		if not frappe.db.exists("User", email):
			continue
		frappe.db.savepoint("demo_user")
		try:
			frappe.delete_doc("User", email, force=True, ignore_permissions=True)
		except frappe.LinkExistsError:
			frappe.db.rollback(save_point="demo_user")
			frappe.db.set_value("User", email, "enabled", 0)


def _save(doc, password: str) -> None:
	doc.new_password = password
	doc.flags.ignore_permissions = True  # a command of the administrator
	doc.flags.no_welcome_mail = True
	doc.save()
