"""A TV of the benchmark's base that asks an edge, and the ways in which time and size are measured."""

import http.client
import json
import os
import secrets
from pathlib import Path

import frappe

from subscriber_tv.core.devices import mac
from subscriber_tv.core.devices.jws import b64url
from subscriber_tv.flows.activation import keys

_TICK = os.sysconf("SC_CLK_TCK")


class Asking:
	"""Asks as one TV, over a kept connection to an edge of this name."""

	# The edges asked are fresh ones, and know no count.
	_count = 0

	def __init__(self, port: int, edge: str):
		self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
		self._edge = edge
		self._masters = keys.masters()

	def answer(self, serial: str, key_hash: str, parts: str) -> str:
		"""What the edge says to this TV: `allow`, or the code of its denial or error."""
		Asking._count += 1
		epoch, count, nonce = str(self._masters.current), str(Asking._count), b64url(secrets.token_bytes(16))
		key = self._masters.of(epoch, serial, key_hash)
		m = mac.of_auth(key, self._edge, serial, epoch, count, nonce, parts, "")
		body = {"d": serial, "e": epoch, "c": count, "n": nonce, "f": parts, "m": m}
		self._connection.request(
			"POST", "/v1/auth", json.dumps(body).encode(), {"Content-Type": "application/json"}
		)
		said = json.loads(self._connection.getresponse().read())
		return said.get("code") or said.get("decision") or said["error"]


def processor_seconds(pid: int | str = "self") -> float:
	"""Processor time of a process, and of its children that ended."""
	fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
	return sum(map(int, fields[11:15])) / _TICK


def children(pid: int) -> list[int]:
	"""The processes that a process started."""
	return [int(found) for found in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def database_pid() -> int:
	"""The database server's process; 0 when it is not on this machine or not ours to see."""
	(file,) = frappe.db.sql("select @@pid_file")[0]
	try:
		path = Path(file)
		if not path.is_absolute():
			path = Path(frappe.db.sql("select @@datadir")[0][0]) / path
		return int(path.read_text())
	except (OSError, ValueError):
		return 0


def table_bytes(table: str) -> int:
	"""What a table takes in the database, indexes included."""
	frappe.db.sql_ddl(f"analyze table `tab{table}`")
	query = "select data_length + index_length from information_schema.tables where table_schema = %s and table_name = %s"
	return int(frappe.db.sql(query, (frappe.conf.db_name, f"tab{table}"))[0][0])
