"""The platforms that are switched on, and the adapter of each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import frappe
from frappe import _

from subscriber_tv.adapters.provisioning import Platform
from subscriber_tv.adapters.provisioning_file import FilePlatform
from subscriber_tv.adapters.provisioning_http import HttpPlatform
from subscriber_tv.core.provisioning.desired import ACCOUNT, DEVICE

DOCTYPE = "TV Provisioning Platform"
KINDS = {
	"Devices": (DEVICE,),
	"Accounts": (ACCOUNT,),
	"Devices and Accounts": (DEVICE, ACCOUNT),
}
HTTP, FILE = "Signed HTTP", "File Drop"
SECRETS = "subscriber_tv_provisioning_secrets"
FOLDER = "subscriber_tv_provisioning_folder"
MOST_LANES = 8


class NotSetUp(frappe.ValidationError):
	"""What the platform's form says is not enough to reach it."""


@dataclass(frozen=True)
class Served:
	"""A platform that gets orders: of these kinds, of this company's TVs and accounts ("" for all).

	`revoke_unknown`: what it holds and was never ordered is taken away.
	"""

	name: str
	company: str
	kinds: tuple[str, ...]
	revoke_unknown: bool = False


def served() -> list[Served]:
	"""Platforms that are switched on."""
	fields = ["name", "company", "gets", "revoke_unknown"]
	rows = frappe.get_all(DOCTYPE, {"enabled": 1}, fields, order_by="name", limit=0)
	return [Served(row.name, row.company or "", KINDS[row.gets], bool(row.revoke_unknown)) for row in rows]


def of_name(name: str) -> Served | None:
	"""The platform of this name; None while it is switched off."""
	return next((platform for platform in served() if platform.name == name), None)


def adapter_of(name: str) -> Platform:
	"""The adapter of a platform, ready to be used. Errors: NotSetUp."""
	doc = frappe.get_doc(DOCTYPE, name)
	return ADAPTERS[doc.adapter](doc)


def drop_folder(address: str) -> Path:
	"""The folder a file drop's address names, below the one folder that site_config allows. Errors: NotSetUp."""
	root = Path(frappe.conf.get(FOLDER) or frappe.get_site_path("private", "provisioning")).resolve()
	found = (root / address).resolve()
	if found == root or root not in found.parents:
		frappe.throw(_("Address: the name of a folder below {0} is expected.").format(root), NotSetUp)
	return found


def _http(doc) -> HttpPlatform:
	return HttpPlatform(doc.address, secret_of(doc), lanes=min(max(doc.lanes or 1, 1), MOST_LANES))


def _file(doc) -> FilePlatform:
	return FilePlatform(
		drop_folder(doc.address), acknowledge_seconds=max(doc.acknowledge_hours or 24, 1) * 3600
	)


def secret_of(doc) -> bytes:
	"""The shared secret: from site_config when the form names an entry there, else from the form. Errors: NotSetUp."""
	if doc.secret_reference:
		value = (frappe.conf.get(SECRETS) or {}).get(doc.secret_reference) or ""
		found = _from_file(value) if value.startswith("/") else value.encode()
	else:
		found = (doc.get_password("secret", raise_exception=False) or "").encode()
	if not found:
		frappe.throw(
			_("Platform {0} has no secret. Enter one, or name its entry in site_config.").format(doc.name),
			NotSetUp,
		)
	return found


def _from_file(path: str) -> bytes:
	try:
		return Path(path).read_bytes().strip()
	except OSError as error:
		frappe.throw(_("The secret cannot be read: {0}").format(error.strerror), NotSetUp)


ADAPTERS: dict[str, Callable[..., Platform]] = {HTTP: _http, FILE: _file}
