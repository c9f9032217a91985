"""The self-test names the check that the decision stumbles over, and nothing when the TV is allowed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriber_tv.core.activation import decide, projection, refusal
from subscriber_tv.core.activation.refusal import Case, verdict, walk
from subscriber_tv.core.devices import jws

NOW = 1_800_000_000
SIGNER = jws.Signer(jws.new_key())
KEY = "K" * 43


def row(code: str = "", **fields) -> decide.Row:
	unsigned = projection.Unsigned("Device", "LG55-000001", "h", key_hash=KEY, denial_code=code)
	denial = projection.sign(unsigned, SIGNER, NOW, 3600, "operator").entry.denial if code else ""
	values = {"rights_from": NOW - 10, "rights_until": 0, "lease": "L", "lease_expires": NOW + 100} | fields
	return decide.Row(
		"LG55-000001", KEY, "Active", denial=denial, offers=(), play_seconds=60, version=1, **values
	)


WELL = Case(
	"LG55-000001",
	credential="Active",
	paired=True,
	key_hash=KEY,
	row=row(),
	paired_at=NOW - 900,
	answered_at=NOW - 60,
	allowed_at=NOW - 60,
)


ORDER = refusal.PlatformOrder("TVO-1", "CAS", False, "no answer")


def found(case: Case) -> tuple[str, str, str] | None:
	check = verdict(walk(case, NOW))
	return (check.name, check.outcome, check.code) if check else None


def test_a_tv_that_plays():
	assert found(WELL) is None
	assert {check.outcome for check in walk(WELL, NOW)} == {"ok"}


@pytest.mark.parametrize(
	("changes", "expected"),
	[
		({"credential": ""}, ("known", "failed", "unknown_serial")),
		({"credential": "Stocked", "paired": False}, ("paired", "failed", "not_paired")),
		({"credential": "Pending"}, ("paired", "failed", "pairing")),
		({"credential": "Retired"}, ("paired", "failed", "retired")),
		({"credential": "Revoked"}, ("paired", "failed", "revoked")),
		({"paired": False}, ("paired", "failed", "not_paired")),
		({"row": None}, ("published", "failed", "not_published")),
		({"row": None, "waiting_since": NOW - 1}, ("published", "failed", "waits")),
		({"key_hash": "Z" * 43}, ("published", "failed", "not_published")),
		({"waiting_since": NOW - 60}, ("published", "unclear", "waits")),
		({"answered_at": 0}, ("proven", "unclear", "never_asked")),
		({"answered_at": NOW - 1000, "strangers": 4}, ("proven", "unclear", "wrong_key")),
		({"resyncs": 3}, ("counted", "unclear", "resync")),
		({"row": row("suspended", rights_from=0)}, ("rights", "failed", "suspended")),
		({"row": row("quarantined", rights_from=0)}, ("rights", "failed", "quarantined")),
		({"row": row("ended", rights_until=NOW)}, ("rights", "failed", "ended")),
		({"row": row("not_started", rights_from=NOW + 1)}, ("rights", "failed", "not_started")),
		({"row": row(lease_expires=NOW)}, ("rights", "failed", "lease_expired")),
		({"row": row(fp="F" * 43), "mismatch_at": NOW - 5}, ("bound", "failed", "binding_mismatch")),
		({"row": row(fp="F" * 43), "mismatch_at": NOW - 90}, None),
		({"edges": (("south", 10), ("north", 900))}, ("fresh", "unclear", "edge_late")),
		({"conflict_at": NOW - 5, "settled_at": NOW - 60}, ("counted", "unclear", "lost_count")),
		({"conflict_at": NOW - 60, "settled_at": NOW - 5}, None),
		({"orders": (ORDER,)}, ("provisioned", "unclear", "provisioning_waits")),
		({"orders": (ORDER, replace(ORDER, refused=True))}, ("provisioned", "failed", "provisioning_failed")),
		({"has_broker": True, "at_broker": True}, None),
		({"has_broker": True, "broker_since": NOW - 120}, None),
		({"has_broker": True, "broker_since": NOW - 2000}, ("connected", "unclear", "mqtt_silent")),
		({"has_broker": True}, None),
		({"has_broker": True, "paired_at": NOW - 90_000}, ("connected", "unclear", "mqtt_silent")),
	],
)
def test_each_check(changes, expected):
	assert found(replace(WELL, **changes)) == expected


@pytest.mark.parametrize(
	("changes", "expected"),
	[
		({}, "Active"),
		({"credential": "Stocked", "row": None}, "Stocked"),
		({"credential": "Pending", "row": None}, "Pending"),
		({"credential": "Retired", "row": None}, "Retired"),
		({"credential": "Revoked", "row": None}, "Revoked"),
		({"credential": "Quarantined", "row": row("quarantined", rights_from=0)}, "Quarantined"),
		({"row": row("suspended", rights_from=0)}, "Suspended"),
		({"row": row("ended", rights_until=NOW)}, "Suspended"),
		({"conflict_at": NOW, "settled_at": NOW - 60}, "Resync"),
		({"rotated_at": NOW - 50}, "Rotating"),
		({"rotated_at": NOW - 70}, "Active"),
		({"credential": "", "row": None}, ""),
	],
)
def test_each_state_of_the_credential(changes, expected):
	assert refusal.standing(replace(WELL, **changes), NOW) == expected


def test_nothing_is_checked_after_the_first_failure():
	outcomes = [check.outcome for check in walk(replace(WELL, credential="Revoked"), NOW)]
	assert outcomes == ["ok", "failed", *["skipped"] * 8]


rows = st.builds(
	row,
	st.sampled_from(["", "suspended", "ended", "not_started", "quarantined"]),
	rights_from=st.sampled_from([0, NOW - 1, NOW, NOW + 1]),
	rights_until=st.sampled_from([0, NOW - 1, NOW, NOW + 1]),
	lease=st.sampled_from(["", "L"]),
	lease_expires=st.sampled_from([NOW - 1, NOW, NOW + 1]),
)


@given(rows)
def test_it_never_says_otherwise_than_the_decision(found_row):
	decision = decide.judge(found_row, NOW)
	(rights,) = [check for check in walk(replace(WELL, row=found_row), NOW) if check.name == refusal.RIGHTS]
	assert (rights.outcome == "ok") == (decision.kind == decide.ALLOW)
	assert rights.code == decision.code
