"""What a TV makes of what the broker brings: a question at most, or an order of the operator's."""

import msgspec
import pytest

from subscriber_tv.core.devices import jws
from subscriber_tv.core.mqtt import inbox, payloads

TV = "AB43H-026001"
NOW = 1_800_000_000
SIGNER = jws.Signer(jws.new_key())
VERIFIER = jws.Verifier(jws.jwks(SIGNER))


@pytest.fixture
def ear():
	return inbox.Inbox(TV, "TVL-00001", "AB43H")


def order(signer=SIGNER, **changes) -> bytes:
	values = {"iss": "op", "id": "TVC-1", "to": f"d/{TV}", "iat": NOW, "exp": NOW + 600, "do": "identify"}
	return payloads.sign_command(payloads.Command(**(values | changes)), signer)


def test_a_hint_about_news_makes_it_ask_once(ear):
	assert ear.hinted(payloads.hint(5, 0), 4, NOW) == NOW
	assert ear.hinted(payloads.hint(5, 0), 4, NOW + 100) is None


def test_a_hint_about_what_it_knows_does_nothing(ear):
	assert ear.hinted(payloads.hint(5, 0), 5, NOW) is None
	assert ear.hinted(payloads.hint(4, 0), 5, NOW) is None


def test_a_hint_about_a_document_makes_it_ask_unless_it_has_it(ear):
	known, fresh = "A" * 43, "B" * 43
	assert ear.hinted(payloads.hint(5, 0, known), 4, NOW, {known}) is None
	# The version in it is the document's, and says nothing about the TV's rights.
	assert ear.hinted(payloads.hint(3, 0, fresh), 4, NOW, {known}) == NOW
	assert ear.hinted(payloads.hint(3, 0, fresh), 4, NOW + 100, {known}) is None
	assert ear.hinted(payloads.hint(5, 0), 4, NOW + 100, {known}) == NOW + 100


def test_it_asks_within_the_spread(ear):
	at = ear.hinted(payloads.hint(5, 60), 4, NOW)
	assert NOW <= at < NOW + 60


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"v":9}', b'{"v":9,"spread":0,"play":true}', b"x" * 200])
def test_a_malformed_hint_does_nothing(ear, payload):
	assert ear.hinted(payload, 4, NOW) is None


def test_a_flood_of_forged_hints_costs_a_question_each_half_minute(ear):
	moments = set()
	for n in range(10_000):
		at = ear.hinted(payloads.hint(100 + n, n % 7), 4, NOW + n / 100)
		if at is not None:
			moments.add(round(at))
	assert len(moments) <= 100 / inbox.LEAST_PAUSE + 2


def test_a_forged_late_hint_does_not_hold_up_a_genuine_one(ear):
	ear.hinted(payloads.hint(2**40, 3600), 4, NOW)
	assert ear.hinted(payloads.hint(5, 0), 4, NOW + 1) == NOW + 1


def test_an_order_to_it_its_site_or_its_group_is_obeyed(ear):
	for number, to in enumerate((f"d/{TV}", "site/TVL-00001", "g/AB43H")):
		found = ear.commanded(order(id=f"TVC-{number}", to=to), VERIFIER, NOW)
		assert found and found.do == "identify"


@pytest.mark.parametrize("to", ["d/AB43H-026002", "site/TVL-00002", "g/OTHER", "site/", "", "d/+"])
def test_an_order_to_somebody_else_is_not(ear, to):
	assert ear.commanded(order(to=to), VERIFIER, NOW) is None


def test_a_tv_without_site_takes_no_order_to_a_nameless_one():
	assert inbox.Inbox(TV).commanded(order(to="site/"), VERIFIER, NOW) is None


def test_an_order_is_obeyed_once_and_in_its_time(ear):
	assert ear.commanded(order(), VERIFIER, NOW + 600) is None
	assert ear.commanded(order(iat=NOW + 301, exp=NOW + 900), VERIFIER, NOW) is None
	assert ear.commanded(order(), VERIFIER, NOW)
	assert ear.commanded(order(), VERIFIER, NOW + 1) is None
	assert ear.commanded(order(id="TVC-2"), VERIFIER, NOW + 1)


def test_nothing_that_the_operator_did_not_sign_is_obeyed(ear):
	claims = jws.unverified_claims(order().decode())
	for payload in (
		claims,
		order(jws.Signer(jws.new_key())),
		order(jws.Signer(jws.new_key(), SIGNER.kid)),
		b"",
	):
		assert ear.commanded(payload, VERIFIER, NOW) is None
	assert ear.commanded(order(), VERIFIER, NOW), "and none of them used up the name of the genuine one"


def test_it_remembers_what_may_still_be_said_again_and_no_more_than_it_must(ear):
	for n in range(inbox.REMEMBERED + 50):
		assert ear.commanded(order(id=f"OLD-{n}", exp=NOW + 1), VERIFIER, NOW)
	late = order(id="LATE", iat=NOW, exp=NOW + 600)
	assert ear.commanded(late, VERIFIER, NOW + 300)
	assert ear.commanded(late, VERIFIER, NOW + 301) is None
	assert len(ear._obeyed) <= inbox.REMEMBERED + 1


def test_many_tvs_obey_over_the_spread():
	command = msgspec.json.decode(jws.unverified_claims(order(spread=40).decode()), type=payloads.Command)
	moments = [inbox.Inbox(f"TV-{n:06}").moment_of(command, 0) for n in range(400)]
	assert 0 <= min(moments) < 2 and 38 < max(moments) < 40
