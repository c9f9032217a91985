"""The edge's log: one JSON object a line on standard error, and nothing in it that opens anything.

Requests are not logged: what they carry is counted (answers.py, metrics.py). What could be a key, a credential, a MAC or
a signed document in a message or a traceback is struck out before it is written, whoever wrote it there.
"""

from __future__ import annotations

import json
import logging
import logging.config
import re
from datetime import datetime, timezone
from typing import Any

# Signed documents (three parts), hex digests, and base64 of 16 bytes and more that is no word, number or path.
_JWS = re.compile(r"[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{20,}")
_OPAQUE = re.compile(r"[A-Za-z0-9_/+-]{22,}={0,2}")
_STRUCK = "[…]"


def strike_out(text: str) -> str:
	"""The text without anything that might be a secret."""
	return _OPAQUE.sub(_unless_words, _JWS.sub(_STRUCK, text))


def _unless_words(found: re.Match[str]) -> str:
	"""Keep paths, serials and long names: they have no mixture of capitals, small letters and digits in one part."""
	parts = re.split(r"[/_-]", found.group())
	return _STRUCK if any(_is_opaque(part) for part in parts) else found.group()


def _is_opaque(part: str) -> bool:
	kinds = (any(map(test, part)) for test in (str.isupper, str.islower, str.isdigit))
	mixed = sum(kinds) >= 2 and len(part) >= 8
	return mixed or len(part) >= 32


class JsonLines(logging.Formatter):
	"""Formats a record as one line of JSON: time (UTC), level, logger, process, edge, message, and a traceback if any."""

	def __init__(self, edge: str = ""):
		super().__init__()
		self._edge = edge

	def format(self, record: logging.LogRecord) -> str:
		"""One line."""
		moment = datetime.fromtimestamp(record.created, timezone.utc)
		line = {
			"time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
			"level": record.levelname.lower(),
			"logger": record.name,
			"pid": record.process,
			"edge": self._edge,
			"message": strike_out(record.getMessage()),
		}
		if record.exc_info:
			line["error"] = strike_out(self.formatException(record.exc_info))
		return json.dumps(line, ensure_ascii=False)


def settings(edge: str) -> dict[str, Any]:
	"""The configuration of Python's logging, also for the server that runs the workers."""
	to_stderr = {"handlers": ["stderr"], "propagate": False}
	return {
		"version": 1,
		"disable_existing_loggers": False,
		"formatters": {"json": {"()": "subscriber_tv.edge.logs.JsonLines", "edge": edge}},
		"handlers": {
			"stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}
		},
		"root": {"handlers": ["stderr"], "level": "WARNING"},
		"loggers": {
			"subscriber_tv.edge": {**to_stderr, "level": "INFO"},
			"_granian": {**to_stderr, "level": "WARNING"},
			"uvicorn": {**to_stderr, "level": "WARNING"},
		},
	}


def configure(edge: str) -> None:
	"""Log as JSON from now on in this process."""
	logging.config.dictConfig(settings(edge))
