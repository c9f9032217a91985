"""The address on a TV that wants to be paired, short enough to be typed: it leads to the desk, by way of the login.

Frappe's login keeps the path that it interrupts but not what stands behind the question mark, so the code goes into the path.
"""

from urllib.parse import quote

import frappe

from subscriber_tv.core.activation import pairing

no_cache = 1


def get_context(_context) -> None:
	"""Send the visitor on. What is no code is left out; an unknown one is the desk's to judge."""
	code = pairing.normalise(frappe.form_dict.get("code") or "")
	page = "/app/tv-pairing" + (f"/{code}" if code else "")
	is_guest = frappe.session.user == "Guest"
	frappe.local.flags.redirect_location = f"/login?redirect-to={quote(page)}" if is_guest else page
	raise frappe.Redirect(302)
