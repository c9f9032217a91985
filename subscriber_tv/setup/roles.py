"""Roles and role profiles of the app.

A TV role opens the app's own DocTypes; what a person needs of ERPNext comes with the role profile, so ERPNext's own
permissions stay untouched (a Custom DocPerm would replace them).
"""

import frappe

ROLES: dict[str, dict] = {
	"TV Sales": {"desk_access": 1},
	"TV Back Office": {"desk_access": 1},
	"TV Billing": {"desk_access": 1},
	"TV Logistics": {"desk_access": 1},
	"TV Support": {"desk_access": 1},
	"TV Marketing": {"desk_access": 1},
	"TV Management": {"desk_access": 1},
	"TV Partner": {"desk_access": 0},
	"TV Usage Sender": {"desk_access": 0},
}

ROLE_PROFILES: dict[str, tuple[str, ...]] = {
	"TV Sales": ("TV Sales", "Sales User"),
	"TV Back Office": ("TV Back Office", "Sales User", "Stock User"),
	"TV Billing": ("TV Billing", "Accounts User", "Accounts Manager"),
	"TV Logistics": ("TV Logistics", "Stock User", "Purchase User", "Delivery User"),
	"TV Support": ("TV Support", "Support Team", "Sales User"),
	"TV Marketing": ("TV Marketing", "Sales User"),
	"TV Management": ("TV Management", "Sales Manager", "Accounts User", "Stock User"),
	"TV Partner": ("TV Partner",),
}


def make_roles() -> None:
	"""Create the missing roles and role profiles; existing ones keep what an administrator changed."""
	for role, values in ROLES.items():
		_make_role(role, values)
	for profile, roles in ROLE_PROFILES.items():
		if frappe.db.exists("Role Profile", profile):
			continue
		known = [role for role in roles if frappe.db.exists("Role", role)]
		frappe.get_doc(
			{
				"doctype": "Role Profile",
				"role_profile": profile,
				"roles": [{"role": role} for role in known],
			}
		).insert(ignore_permissions=True)  # nosemgrep: installation, there is no user yet


def _make_role(role: str, values: dict) -> None:
	# DocType permissions create a missing role with desk access before this runs, hence the correction.
	if frappe.db.exists("Role", role):
		if not values["desk_access"] and frappe.db.get_value("Role", role, "desk_access"):
			frappe.get_doc("Role", role).update(values).save(ignore_permissions=True)
		return
	frappe.get_doc({"doctype": "Role", "role_name": role, **values}).insert(ignore_permissions=True)


def remove_roles() -> None:
	"""Remove role profiles and roles from users, permissions and the list of roles."""
	for profile in ROLE_PROFILES:
		frappe.db.set_value("User", {"role_profile_name": profile}, "role_profile_name", None)
		frappe.delete_doc("Role Profile", profile, ignore_missing=True, force=True)
	for role in ROLES:
		for doctype in ("Has Role", "Custom DocPerm"):
			frappe.db.delete(doctype, {"role": role})
		frappe.delete_doc("Role", role, ignore_missing=True, force=True)
