"""Version 15 of Frappe leaves columns whose names contain `_seen` out of every list: it takes them for its own `_seen`."""

from frappe.model.utils.rename_field import rename_field


def execute() -> None:
	rename_field("TV Activation", "first_seen", "first_at")
	rename_field("TV Activation", "last_seen", "last_at")
	rename_field("TV Edge", "last_seen", "last_heard")
