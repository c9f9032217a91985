from urllib.parse import urlsplit

import frappe
from frappe import _
from frappe.model.document import Document

from subscriber_tv.flows.provisioning.ask_for_check import ask_for_check
from subscriber_tv.flows.provisioning.platforms import HTTP, drop_folder, secret_of
from subscriber_tv.flows.provisioning.waiting import figures
from subscriber_tv.flows.provisioning.wake import wake

LOOPBACK = ("127.0.0.1", "::1", "localhost")
OF_WORKERS = (
	"compared_at",
	"compared",
	"differing",
	"unknown_there",
	"comparison_error",
	"failures",
	"failing_since",
	"paused_until",
	"last_error",
	"last_batch",
	"check_from",
)
"""Fields that workers write while somebody has the form open."""


class TVProvisioningPlatform(Document):
	"""A CAS, DRM or streaming platform that is told about rights."""

	def onload(self) -> None:
		self.set_onload("figures", figures(self.name))

	def validate(self) -> None:
		self.platform_name = (self.platform_name or "").strip()
		self.address = (self.address or "").strip()
		if "/" in self.platform_name:
			frappe.throw(_("Name: no slash, please. It separates the parts of names made from it."))
		self._check_address()
		if self.enabled and self.adapter == HTTP:
			secret_of(self)

	def before_save(self) -> None:
		if not self.is_new():
			now = frappe.db.get_value(self.doctype, self.name, OF_WORKERS, as_dict=True)
			self.update(now)

	def on_update(self) -> None:
		before = self.get_doc_before_save()
		changed = before is None or any(
			before.get(field) != self.get(field) for field in ("enabled", "gets", "company")
		)
		if self.enabled and changed:
			ask_for_check([self.name])
		if self.enabled:
			wake([self.name])

	def _check_address(self) -> None:
		if self.adapter != HTTP:
			drop_folder(self.address)
			return
		parts = urlsplit(self.address)
		sound = parts.hostname and not (parts.query or parts.fragment or parts.username)
		secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
		if not (sound and secure):
			frappe.throw(
				_(
					"Address: an address such as https://cas.example.com/v1 is expected, without query or password."
				),
				title=_("Address"),
			)
