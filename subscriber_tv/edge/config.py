"""What an edge must know, from the environment or a TOML file; the environment wins.

Every field is `SUBSCRIBER_TV_EDGE_<FIELD>` in the environment and `<field>` in the file that
`SUBSCRIBER_TV_EDGE_CONFIG` names. Secrets are given as paths of files, never as values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from subscriber_tv.core.activation import limits, report
from subscriber_tv.core.devices import mac

PREFIX = "SUBSCRIBER_TV_EDGE_"
SERVERS = ("lean", "granian", "uvicorn")


class ConfigError(Exception):
	"""A setting is missing or wrong; the message names it."""


@dataclass(frozen=True)
class Config:
	"""Settings of one edge. Without `feed_url` it serves what its file holds; without `erp_url` nobody can enrol."""

	database: Path
	public_key_file: Path
	# The masters of TVs' keys, a credential file (mode 0400) outside the folder of the database.
	masters_file: Path
	name: str = "edge"
	host: str = "127.0.0.1"
	port: int = 8090
	workers: int = 1
	# What answers the connections: ours, or one of the two that run any ASGI application.
	server: str = "lean"
	feed_url: str = ""
	feed_secret_file: Path | None = None
	# Seconds that one question to the publisher may stay open.
	feed_wait: int = 20
	erp_url: str = ""
	# Which site is meant when the ERP serves several at one address.
	erp_site: str = ""
	# Seconds that the ERP may take to answer an enrolment.
	erp_timeout: float = 4.0
	# Seconds within which a whole request must have arrived.
	request_timeout: float = 5.0
	# Answers a second that the whole edge can give, when somebody has measured it; 0: each worker measures.
	capacity: float = 0.0
	# Questions a minute of one TV that has proved to be it, and failures a minute of one address; see `core...limits`.
	tv_per_minute: int = limits.TV_A_MINUTE
	failures_per_minute: int = limits.FAILURES_A_MINUTE
	# Addresses of proxies (commas or spaces between) whose X-Forwarded-For names the TV.
	trusted_proxies: str = ""
	# Where Prometheus finds /metrics: an address that TVs do not reach. Port 0: nowhere.
	metrics_host: str = "127.0.0.1"
	metrics_port: int = 0
	# Seconds between two times that counted answers are written down and sent to the publisher.
	answers_every: float = 5.0
	# Seconds between two times that heartbeats, rolled up, are sent to the publisher.
	telemetry_every: float = 60.0

	@property
	def answers_file(self) -> Path:
		"""Where counted answers wait for the publisher: beside the projection, which workers only read."""
		return self.database.with_name(f"{self.database.stem}-answers{self.database.suffix}")

	@property
	def counts_file(self) -> Path:
		"""Where the TVs' counts are kept, likewise."""
		return self.database.with_name(f"{self.database.stem}-counts{self.database.suffix}")

	@property
	def clock_file(self) -> Path:
		"""Where the time that the publisher accepted last is noted, likewise."""
		return self.database.with_name(f"{self.database.stem}-clock.json")

	def masters(self) -> mac.Masters:
		"""The masters that TVs' keys follow from. Errors: ConfigError, mac.BadMasters."""
		return mac.read_masters(_read(self.masters_file, "masters_file"))

	def public_keys(self) -> bytes:
		"""The pinned JWKS, as JSON: leases, offers and the feed are signed by one of these keys."""
		return _read(self.public_key_file, "public_key_file")

	def feed_secret(self) -> bytes:
		"""The secret that opens the feed."""
		if self.feed_secret_file is None:
			raise ConfigError("feed_secret_file is not set")
		return _read(self.feed_secret_file, "feed_secret_file").strip()


def load(environ: Mapping[str, str]) -> Config:
	"""The configuration that this environment gives; ConfigError names what is missing, unknown or wrong."""
	file = environ.get(f"{PREFIX}CONFIG")
	given: dict[str, Any] = _toml(Path(file)) if file else {}
	known = {field.name: str(field.type) for field in fields(Config)}
	for name in known:
		value = environ.get(PREFIX + name.upper())
		if value:
			given[name] = value
	if unknown := sorted(given.keys() - known.keys()):
		raise ConfigError(f"unknown settings: {', '.join(unknown)}")
	for required in ("database", "public_key_file", "masters_file"):
		if not given.get(required):
			raise ConfigError(f"{required} is not set ({PREFIX}{required.upper()})")
	config = Config(**{name: _convert(name, known[name], value) for name, value in given.items()})
	if not re.match(report.NAME, config.name):
		raise ConfigError(f"name is not valid (40 letters, digits, dots, dashes): {config.name!r}")
	if config.server not in SERVERS:
		raise ConfigError(f"server is not one of {', '.join(SERVERS)}: {config.server!r}")
	return config


def _convert(name: str, kind: str, value: Any) -> Any:
	convert = {"int": int, "float": float, "str": str}.get(kind, Path)
	try:
		return convert(value)
	except (TypeError, ValueError):
		raise ConfigError(f"{name} is not valid: {value!r}") from None


def _toml(path: Path) -> dict[str, Any]:
	try:
		import tomllib
	except ImportError:  # Python 3.10
		import tomli as tomllib
	try:
		return tomllib.loads(_read(path, "config").decode())
	except ValueError as error:
		raise ConfigError(f"{path}: {error}") from None


def _read(path: Path, name: str) -> bytes:
	try:
		return path.read_bytes()
	except OSError as error:
		raise ConfigError(f"{name}: {error.strerror}: {path}") from None
