"""The site's message broker as TV Settings and site_config tell it: where it is, and who connects with which secret."""

from pathlib import Path

import frappe
from frappe import _

from subscriber_tv.adapters.mqtt import Broker
from subscriber_tv.core.mqtt import broker_files, topics
from subscriber_tv.flows.activation.keys import file_of
from subscriber_tv.flows.settings import phase_on

PASSWORD = "subscriber_tv_mqtt_password"
"""Entry of site_config: the file with the password of the app's own connections."""
TV_SECRET = "subscriber_tv_mqtt_tv_secret"
"""Entry of site_config: the file with the secret that TVs' passwords follow from."""
AUTHORITY = "subscriber_tv_mqtt_ca"
"""Entry of site_config, optional: the file of the authorities that may have signed the broker's certificate."""

KEEPALIVE = 60
SESSION = 3600
"""Seconds for which the broker keeps what TVs say while the listener is away."""


class BrokerNotSet(frappe.ValidationError):
	"""No broker is in use on this site, or a file it takes is missing."""


def enabled() -> bool:
	"""Whether this site uses a broker."""
	return phase_on("activation") and bool(_settings().mqtt_enabled)


def require_broker() -> None:
	"""Errors: BrokerNotSet, naming the switch."""
	if not enabled():
		frappe.throw(
			_("This site uses no message broker. Set {0} in TV Settings.").format(
				frappe.bold(_("Use a Message Broker"))
			),
			BrokerNotSet,
			title=_("No Message Broker"),
		)


def operator() -> str:
	"""The operator's part of every topic."""
	return _settings().mqtt_operator or ""


def most_questions() -> int:
	"""How many questions a second hints may cause."""
	return _settings().mqtt_rate or 500


def users() -> broker_files.Services:
	"""The user names of the app's two connections."""
	return broker_files.services(_settings().mqtt_user or "tv-app")


def publisher() -> Broker:
	"""How the publisher connects. Errors: BrokerNotSet."""
	return _broker(users().publisher)


def listener() -> Broker:
	"""How the listener connects; the broker keeps for it what comes while it is away. Errors: BrokerNotSet."""
	return _broker(users().listener, SESSION)


def app_password() -> str:
	"""Errors: BrokerNotSet."""
	return _file(PASSWORD).read_text().strip()


def tv_secret() -> bytes:
	"""Errors: BrokerNotSet."""
	return _file(TV_SECRET).read_bytes().strip()


def place_of(serial: str, site: str | None, model: str | None) -> dict[str, str] | None:
	"""What a TV is told when it pairs: where the broker is, its password there, and what its site and group are called.

	None while the site uses no broker, and for a serial that can stand in no topic. A missing file is logged and no reason not to
	pair: a TV without a broker plays all the same.
	"""
	if not enabled() or not topics.is_serial(serial):
		return None
	secret = Path(frappe.conf.get(TV_SECRET) or "")
	if not secret.is_file():
		frappe.logger("subscriber_tv").error("%s is missing: TVs are told of no broker", TV_SECRET)
		return None
	settings = _settings()
	return {
		"host": settings.mqtt_public_host or settings.mqtt_host,
		"port": str(settings.mqtt_port),
		"tls": "1" if settings.mqtt_tls else "0",
		"operator": operator(),
		"user": serial,
		"password": broker_files.tv_password(secret.read_bytes().strip(), serial),
		"site": topics.label(site) if site else "",
		"group": topics.label(model) if model else "",
	}


def _broker(user: str, session: int = 0) -> Broker:
	require_broker()
	settings = _settings()
	return Broker(
		host=settings.mqtt_host,
		port=settings.mqtt_port,
		user=user,
		password=app_password(),
		tls=bool(settings.mqtt_tls),
		ca=frappe.conf.get(AUTHORITY) or "",
		keepalive=KEEPALIVE,
		session=session,
	)


def _settings():
	return frappe.get_cached_doc("TV Settings")


def _file(key: str) -> Path:
	return file_of(key, BrokerNotSet)
