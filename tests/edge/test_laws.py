"""The judge of the faults: it finds a denial and a service beyond the lease where there is one."""

import pytest
from laws import LOST, REFUSED, SERVED, Ask, Contract, judge

T = 1_000_000.0
HEALED = T + 100


def contract(*said, until=0):
	made = Contract("any")
	for moment, valid in said:
		made.become(valid, until, moment)
	return made


VALID = contract((T, True))
NEVER = contract((T, False))
CUT = contract((T, True), (T + 50, False))
RESTORED = contract((T, False), (T + 50, True))
ENDED = contract((T, True), until=int(T) + 50)


def asked(at, kind, code="suspended", lease=10_000.0, play=5_000.0, tries=1):
	return Ask("TV", T + at, T + at + 0.01, kind, code, tries, "edge", int(T + lease), int(T + play))


@pytest.mark.parametrize(
	("said", "ask", "law"),
	[
		(VALID, asked(10, SERVED), ""),
		(VALID, asked(10, REFUSED), "denied"),
		(VALID, asked(10, LOST), ""),
		(NEVER, asked(10, REFUSED), ""),
		(NEVER, asked(10, SERVED), "overserved"),
		# Nobody had told the node yet.
		(CUT, asked(60, SERVED), ""),
		(CUT, asked(60, SERVED, lease=59), "overserved"),
		(CUT, asked(60, SERVED, play=10_001), "overserved"),
		(CUT, asked(60, REFUSED), ""),
		(CUT, asked(102, SERVED), "overserved"),
		(CUT, asked(102, REFUSED), ""),
		(RESTORED, asked(60, REFUSED), ""),
		(RESTORED, asked(102, REFUSED), "denied"),
		(RESTORED, asked(102, SERVED), ""),
		(ENDED, asked(49, SERVED, play=50), ""),
		(ENDED, asked(40, SERVED, play=51), "overserved"),
		(ENDED, asked(52, SERVED, play=50), "overserved"),
		(ENDED, asked(52, REFUSED), ""),
		(ENDED, asked(40, REFUSED), "denied"),
		# A TV that is known is never a stranger.
		(NEVER, asked(10, REFUSED, "invalid_device"), "denied"),
		(NEVER, asked(10, REFUSED, "bad_signature"), "denied"),
	],
)
def test_laws(said, ask, law):
	tally = judge([ask], {"TV": said}, HEALED)
	broken = [name for name in ("denied", "overserved") if getattr(tally, name)]
	assert broken == [law] * bool(law)


def test_counts():
	asks = [asked(60, SERVED), asked(61, REFUSED, tries=2), asked(62, LOST, tries=6)]
	tally = judge(asks, {"TV": CUT}, HEALED)
	assert (tally.asks, tally.served, tally.refused, tally.lost) == (3, 1, 1, 1)
	assert (tally.on_lease, tally.waiting, tally.again, tally.most_tries) == (1, 0, 2, 6)
