"""What a run came to: nothing that did not run may count as a pass."""

import pytest

from devtools.results import Result, from_junit, from_unittest, not_run

GREEN = "..\n----\nRan 2 tests in 0.1s\n\nOK\n"
RED = "F.s.E\n----\nRan 5 tests in 1.0s\n\nFAILED (failures=1, errors=1, skipped=1)\n"


@pytest.mark.parametrize(
	("text", "code", "passed", "failed", "skipped"),
	[
		(GREEN, 0, 2, 0, 0),
		(RED, 1, 2, 2, 1),
		("Ran 3 tests in 1s\n\nOK (skipped=2)\n", 0, 1, 0, 2),
		("Ran 3 tests in 1s\n\nFAILED (failures=1, expected failures=1)\n", 1, 2, 1, 0),
		("Ran 0 tests in 0.0s\n\nOK\n", 0, 0, 1, 0),
		("Traceback: ImportError\n", 1, 0, 1, 0),
		(GREEN, 1, 1, 1, 0),
	],
	ids=["green", "red", "skips", "expected-failure", "no-tests", "never-began", "died-after"],
)
def test_counts_of_bench_run_tests(tmp_path, text, code, passed, failed, skipped):
	log = tmp_path / "log"
	log.write_text(text)
	found = from_unittest(log, "integration", code)
	assert (found.passed, found.failed, found.skipped) == (passed, failed, skipped)


def test_counts_of_pytest(tmp_path):
	report = tmp_path / "report.xml"
	report.write_text(
		"<testsuites><testsuite><testcase classname='a' name='one'/>"
		"<testcase classname='a' name='two'><skipped message='no bench'/></testcase>"
		"<testcase classname='a' name='three'><failure/></testcase></testsuite></testsuites>"
	)
	assert from_junit(report, "unit", 1) == Result(1, 1, 1, ("unit: a.two: no bench",))


@pytest.mark.parametrize("content", [None, "", "<testsuites/>"], ids=["missing", "empty", "no-tests"])
def test_a_report_without_tests_is_a_failure(tmp_path, content):
	report = tmp_path / "report.xml"
	if content is not None:
		report.write_text(content)
	assert from_junit(report, "unit", 0).failed == 1


def test_a_suite_that_cannot_run_is_one_skip_with_its_reason():
	total = Result(passed=3) + not_run("browser", "no bench")
	assert str(total) == "3 passed, 0 failed, 1 skipped"
	assert total.reasons == ("browser: no bench",)
