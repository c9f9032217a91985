"""Commands that need no bench: `python -m subscriber_tv price|simulate|tv|fleet|clone-drill|vectors|root-key|sign-keys …`.

Each command imports what it needs when it runs: prices and bills need nothing but Python, a TV needs cryptography.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from subscriber_tv.core.json_values import BadValue, parse
from subscriber_tv.simulator.http import NoAnswer, Service


def main(arguments: Sequence[str] | None = None) -> int:
	"""Run one command; 0 when it did what it is for, 1 when nobody answered or a TV may not play, 2 for bad usage."""
	options = _parser().parse_args(arguments)
	try:
		return options.run(options)
	except (NoAnswer, ValueError, OSError) as error:
		print(f"subscriber_tv: {error}", file=sys.stderr)
		return 1


def _parser() -> argparse.ArgumentParser:
	parser = argparse.ArgumentParser(prog="python -m subscriber_tv", description=__doc__)
	commands = parser.add_subparsers(required=True, metavar="command")

	price = commands.add_parser("price", help="price one model for a list of quantities")
	price.add_argument("file", help="JSON file, - for standard input; the format is in docs/pricing.md")
	price.set_defaults(run=_run_price)

	simulated = commands.add_parser(
		"simulate", help="bill a scenario: what each run of bills would charge and credit"
	)
	simulated.add_argument("file", help="JSON file, - for standard input; the format is in docs/simulator.md")
	simulated.set_defaults(run=_run_simulate)

	common = argparse.ArgumentParser(add_help=False)
	common.add_argument("--url", required=True, help="address of an edge, or of a site with --desk")
	common.add_argument("--desk", action="store_true", help="the address is a site's, not an edge's")
	common.add_argument("--site", default="", help="name of the site, when its address serves several")

	one = commands.add_parser("tv", parents=[common], help="switch one TV on, and pair it when it is not")
	one.add_argument("--serial", required=True)
	one.add_argument("--credential", default="", help="its secret; without it the flash's, or a new one")
	one.add_argument("--flash", type=Path, help="file in which the TV remembers")
	one.add_argument("--root", type=Path, help="file with the public half of the operator's root key")
	one.add_argument("--lang", choices=("fr", "en"), default="fr")
	one.set_defaults(run=_run_tv)

	many = commands.add_parser("fleet", parents=[common], help="switch many TVs on and count the answers")
	many.add_argument(
		"--tvs", type=Path, required=True, help="CSV file with the columns serial and credential"
	)
	many.add_argument("--threads", type=int, default=8, help="TVs at once (default 8)")
	many.set_defaults(run=_run_fleet)

	copies = commands.add_parser(
		"clone-drill", help="find copied TVs in simulated fleets, and accuse nobody else"
	)
	copies.add_argument(
		"--tvs", type=int, default=20_000, help="TVs of a fleet (default 20000), 1 %% of them copied"
	)
	copies.add_argument("--days", type=int, default=20, help="days of a fleet (default 20)")
	copies.add_argument(
		"--seeds", type=int, nargs="*", default=[1, 2, 3], help="a fleet each (default 1 2 3)"
	)
	copies.add_argument("--copies", type=int, default=2000, help="copies in each further case (default 2000)")
	copies.set_defaults(run=_run_clone_drill)

	root = commands.add_parser("root-key", help="make a root key, offline; prints its public half for TVs")
	root.add_argument("file", type=Path, help="where to put the private half")
	root.set_defaults(run=_run_root_key)

	signed = commands.add_parser("sign-keys", help="sign the operator's key set with the root; prints it")
	signed.add_argument("root", type=Path, help="the private half of the root")
	signed.add_argument("keys", type=Path, help="the key set, as the desk or an edge gives it")
	signed.add_argument("--days", type=int, default=365, help="how long the signature is good (default 365)")
	signed.set_defaults(run=_run_sign_keys)

	vectors = commands.add_parser(
		"vectors", help="write the protocol's test vectors, schemas and OpenAPI file"
	)
	vectors.add_argument("folder", type=Path, help="usually fixtures/protocol")
	vectors.set_defaults(run=_run_vectors)
	return parser


def _run_clone_drill(options: argparse.Namespace) -> int:
	from subscriber_tv.simulator import copy_report
	from subscriber_tv.simulator.copies import Habits

	say = partial(print, flush=True)
	total = copy_report.fleets(Habits(tvs=options.tvs, days=options.days), options.seeds, say)
	copy_report.cases(seed=1, say=say, copies=options.copies)
	return 0 if copy_report.is_good(total) else 1


def _run_root_key(options: argparse.Namespace) -> int:
	import os

	from subscriber_tv.core.devices import jws

	pem = jws.new_key()
	with os.fdopen(os.open(options.file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as file:
		file.write(pem)
	print(json.dumps(jws.Signer(pem).jwk, indent=1))
	return 0


def _run_sign_keys(options: argparse.Namespace) -> int:
	import time

	from subscriber_tv.core.devices import jws, root

	signer = jws.Signer(options.root.read_bytes())
	keys = json.loads(options.keys.read_bytes())
	print(json.dumps(root.sign_keys(keys, signer, int(time.time()), options.days), indent=1))
	return 0


def _run_vectors(options: argparse.Namespace) -> int:
	from subscriber_tv.simulator.contract import write

	changed = write(options.folder)
	print("\n".join(changed) or "nothing changed")
	return 0


def _run_price(options: argparse.Namespace) -> int:
	from subscriber_tv.core.pricing.sheet import price_sheet

	return _answer(options.file, price_sheet)


def _run_simulate(options: argparse.Namespace) -> int:
	from subscriber_tv.core.scenario.simulate import simulate

	return _answer(options.file, simulate)


def _answer(file: str, reply: Callable[[Any], Any]) -> int:
	"""Print the reply to one JSON document, or one JSON error with its path and exit code 2."""
	try:
		answer, code = reply(parse(_text(file))), 0
	except BadValue as bad:
		answer, code = {"error": {"path": bad.path, "message": bad.reason}}, 2
	print(json.dumps(answer, ensure_ascii=False, indent=2))
	return code


def _text(file: str) -> str:
	"""The text of a file or, for "-", of standard input: UTF-8 wherever it runs."""
	try:
		data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
		return data.decode("utf-8-sig")
	except UnicodeDecodeError:
		raise BadValue("$", "the text is not UTF-8") from None
	except OSError as error:
		raise BadValue("$", f"cannot read {file}: {error.strerror}") from None


def _service(options: argparse.Namespace) -> Service:
	return Service(options.url, "desk" if options.desk else "edge", options.site)


def _run_tv(options: argparse.Namespace) -> int:
	from subscriber_tv.simulator.tv import PAIRING, PLAYING, Tv

	root = json.loads(options.root.read_bytes()) if options.root else None
	tv = Tv(
		options.serial,
		_service(options),
		options.credential,
		options.flash,
		language=options.lang,
		root=root,
	)
	screen = tv.power_on()
	print(" ".join(part for part in (screen.kind, screen.code, screen.text) if part))
	if screen.kind == PAIRING:
		# A code that was entered meanwhile brings the key; otherwise it still stands, or a new one is due.
		if tv.memory.device_code and tv.poll().status == 200:
			screen = tv.power_on()
			print(" ".join(part for part in (screen.kind, screen.code, screen.text) if part))
			return 0 if screen.kind == PLAYING else 1
		reply = tv.enrol()
		if reply.status == 200:
			print(f"{reply.document['user_code']}  {reply.document['verification_uri']}")
		else:
			print(f"{reply.status} {reply.document.get('error_description', '')}")
	for document in screen.documents:
		for bouquet in tv.channels(document):
			print(f"{bouquet['name']}: {len(bouquet['channels'])} channels")
	return 0 if screen.kind == PLAYING else 1


def _run_fleet(options: argparse.Namespace) -> int:
	from subscriber_tv.simulator import fleet

	identities = fleet.read_fleet(options.tvs)
	result = fleet.power_on_all(
		identities, partial(_service, options), threads=options.threads, tick=fleet.progress
	)
	print(fleet.report(result))
	return 0


if __name__ == "__main__":
	raise SystemExit(main())
