"""Leaving a site: refuse while money is open, save every row, take back everything the app added to ERPNext."""

from subscriber_tv.setup.dimensions import remove_dimensions
from subscriber_tv.setup.keys import remove_key_files
from subscriber_tv.setup.roles import remove_roles


def before_uninstall() -> None:
	"""Take back roles, dimensions and key files."""
	remove_dimensions()
	remove_roles()
	remove_key_files()
