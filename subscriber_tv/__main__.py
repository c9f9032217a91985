"""Commands that need no bench: `python -m subscriber_tv tv …` and `python -m subscriber_tv fleet …`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from subscriber_tv.simulator import fleet
from subscriber_tv.simulator.http import NoAnswer, Service
from subscriber_tv.simulator.tv import PAIRING, PLAYING, Tv


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

	common = argparse.ArgumentParser(add_help=False)
	common.add_argument("--url", required=True, help="address of an edge, or of a site with --desk")
	common.add_argument("--desk", action="store_true", help="the address is a site's, not an edge's")
	common.add_argument("--site", default="", help="name of the site, when its address serves several")

	one = commands.add_parser("tv", parents=[common], help="switch one TV on, and pair it when it is not")
	one.add_argument("--serial", required=True)
	one.add_argument("--credential", default="", help="its secret; without it the flash's, or a new one")
	one.add_argument("--flash", type=Path, help="file in which the TV remembers")
	one.add_argument("--lang", choices=("fr", "en"), default="fr")
	one.set_defaults(run=_run_tv)

	many = commands.add_parser("fleet", parents=[common], help="switch many TVs on and count the answers")
	many.add_argument(
		"--tvs", type=Path, required=True, help="CSV file with the columns serial and credential"
	)
	many.add_argument("--threads", type=int, default=8, help="TVs at once (default 8)")
	many.set_defaults(run=_run_fleet)
	return parser


def _service(options: argparse.Namespace) -> Service:
	return Service(options.url, "desk" if options.desk else "edge", options.site)


def _run_tv(options: argparse.Namespace) -> int:
	tv = Tv(options.serial, _service(options), options.credential, options.flash, language=options.lang)
	screen = tv.power_on()
	print(" ".join(part for part in (screen.kind, screen.code, screen.text) if part))
	if screen.kind == PAIRING:
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
	identities = fleet.read_fleet(options.tvs)
	result = fleet.power_on_all(
		identities, partial(_service, options), threads=options.threads, tick=fleet.progress
	)
	print(fleet.report(result))
	return 0


if __name__ == "__main__":
	raise SystemExit(main())
