"""What happens when the app is installed, migrated and before its tests. Every step can be repeated."""

import frappe
from frappe.custom.doctype.custom_field.custom_field import create_custom_fields

from subscriber_tv.flows.billing.watch import forget_all
from subscriber_tv.setup.custom_fields import CUSTOM_FIELDS
from subscriber_tv.setup.keys import make_key_files
from subscriber_tv.setup.print_formats import make_default
from subscriber_tv.setup.roles import make_roles
from subscriber_tv.setup.settings import fill_new_settings


def after_install() -> None:
	"""Add roles, custom fields and key files; a site without a company gets its operator set-up later."""
	_apply()
	make_default()


def after_migrate() -> None:
	"""Bring roles, custom fields, key files and settings up to this version of the app."""
	_apply()
	forget_all()


def _apply() -> None:
	make_roles()
	create_custom_fields(CUSTOM_FIELDS, ignore_validate=True)
	make_key_files()
	fill_new_settings()


def before_tests() -> None:
	"""Give a fresh site the French operator that the tests expect; a site with a company keeps it."""
	from subscriber_tv.setup.operator import complete_setup_wizard, set_up_operator

	frappe.clear_cache()
	company = complete_setup_wizard()
	set_up_operator(company)
	# The tests open their own transactions on this ground.
	frappe.db.commit()  # nosemgrep
