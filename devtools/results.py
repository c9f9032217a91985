"""What a suite's run came to, read from the report or log it left."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Result:
	"""Counts of one suite. `reasons` name each thing that was skipped."""

	passed: int = 0
	failed: int = 0
	skipped: int = 0
	reasons: tuple[str, ...] = ()

	def __add__(self, other: "Result") -> "Result":
		return Result(
			self.passed + other.passed,
			self.failed + other.failed,
			self.skipped + other.skipped,
			self.reasons + other.reasons,
		)

	def __str__(self) -> str:
		return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def not_run(suite: str, reason: str) -> Result:
	"""A suite that could not run here: one skip, with its reason, never a pass."""
	return Result(skipped=1, reasons=(f"{suite}: {reason}",))


def from_code(code: int) -> Result:
	"""A check that has no counts of its own."""
	return Result(failed=1) if code else Result(passed=1)


def from_junit(report: Path, suite: str, code: int) -> Result:
	"""Counts of a pytest run. No report, no test at all, or a bad exit without a failed test is a failure."""
	try:
		cases = list(ElementTree.parse(report).iter("testcase"))
	except (OSError, ElementTree.ParseError):
		return Result(failed=1)
	failed = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
	skips = [case for case in cases if case.find("skipped") is not None]
	reasons = tuple(f"{suite}: {_name(case)}: {case.find('skipped').get('message', '')}" for case in skips)
	if not cases or (code and not failed):
		failed += 1
	return Result(max(len(cases) - failed - len(skips), 0), failed, len(skips), reasons)


def from_unittest(log: Path, suite: str, code: int) -> Result:
	"""Counts of a `bench run-tests` run. A run of no tests at all is a failure."""
	text = log.read_text(errors="replace") if log.exists() else ""
	ran = sum(int(number) for number in re.findall(r"^Ran (\d+) tests? in", text, re.M))
	failed = _total(text, "failures") + _total(text, "errors") + _total(text, "unexpected successes")
	skipped = _total(text, "skipped")
	if not ran or (code and not failed):
		failed += 1
	reasons = tuple(f"{suite}: {count} skipped in its own log" for count in [skipped] if count)
	return Result(max(ran - failed - skipped, 0), failed, skipped, reasons)


def _total(text: str, word: str) -> int:
	endings = re.findall(r"^(?:OK|FAILED) \((.+)\)$", text, re.M)
	counts = [count.split("=") for ending in endings for count in ending.split(", ")]
	return sum(int(number) for name, number in counts if name == word)


def _name(case: ElementTree.Element) -> str:
	return f"{case.get('classname')}.{case.get('name')}"
