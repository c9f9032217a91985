"""Reads the command line of `./dev` and hands over."""

import argparse
import contextlib
import signal
import sys

from devtools.say import Problem

HELP = """\
./dev demo       the product running on demo data, with a login for each kind of person
./dev test       every test that can run here; `./dev test unit` runs one suite
./dev stop       end what the demo started
./dev doctor     what is present, what is missing, how to fix it
./dev benchmark  power-ons a second at full size, side by side; `./dev benchmark billing` invoices a second,
                 `./dev benchmark reliability` what TVs are answered while things break
./dev bench      a bench command in the test overlay, e.g. ./dev bench -- --site test.localhost console
"""


def main(arguments: list[str]) -> int:
	"""Run one command; the exit code."""
	options = _parser().parse_args(arguments)
	for number in (signal.SIGTERM, signal.SIGHUP):
		signal.signal(number, _leave)
	try:
		return options.run(options)
	except Problem as problem:
		print(f"\n{problem}", file=sys.stderr)
		return 1
	except KeyboardInterrupt:
		print("\nstopped", file=sys.stderr)
		return 130


def _leave(number: int, _frame: object) -> None:
	with contextlib.suppress(ValueError):
		signal.signal(number, signal.SIG_IGN)
	raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
	parser = argparse.ArgumentParser(
		prog="./dev", description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	commands = parser.add_subparsers(required=True, metavar="command")
	test = commands.add_parser("test", help="run the tests")
	test.add_argument("suites", nargs="*", help="only these suites")
	test.add_argument("--args", default="", help="passed on to the suite's runner, e.g. --args='-k pairing'")
	test.set_defaults(run=_test)
	demo = commands.add_parser("demo", help="run the product on demo data")
	demo.add_argument("--detach", action="store_true", help="return once everything answers")
	demo.add_argument(
		"--embedded", action="store_true", help="the form without a bench, even when there is one"
	)
	demo.add_argument("--reset", action="store_true", help="start from fresh demo data")
	demo.set_defaults(run=_demo)
	commands.add_parser("stop", help="end what the demo started").set_defaults(run=_stop)
	commands.add_parser("doctor", help="what is missing").set_defaults(run=_doctor)
	benchmark = commands.add_parser(
		"benchmark", help="compare edge, desk and others, or billing with ERPNext's own"
	)
	benchmark.add_argument(
		"name",
		nargs="?",
		default="device_auth",
		choices=["device_auth", "billing", "reliability", "projection"],
	)
	benchmark.add_argument("--args", default="", help="passed on to the benchmark, e.g. --args='--rounds 9'")
	benchmark.set_defaults(run=_benchmark)
	bench = commands.add_parser("bench", help="a bench command in the test overlay")
	bench.add_argument("arguments", nargs=argparse.REMAINDER)
	bench.set_defaults(run=_bench)
	return parser


def _test(options: argparse.Namespace) -> int:
	from devtools import testing

	return testing.run_all(options.suites, options.args.split())


def _demo(options: argparse.Namespace) -> int:
	from devtools import demo

	return demo.run(detach=options.detach, embedded=options.embedded, reset=options.reset)


def _stop(_options: argparse.Namespace) -> int:
	from devtools import demo

	return demo.stop()


def _doctor(_options: argparse.Namespace) -> int:
	from devtools import doctor

	return doctor.report()


def _benchmark(options: argparse.Namespace) -> int:
	from devtools import benchmark

	return benchmark.run(options.name, options.args.split())


def _bench(options: argparse.Namespace) -> int:
	from devtools import testing

	arguments = options.arguments[1:] if options.arguments[:1] == ["--"] else options.arguments
	return testing.bench_command(arguments)
