"""What a fleet may be answered: no valid TV is denied, no cancelled TV is served past its lease."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SERVED, REFUSED, LOST = "served", "refused", "lost"
# Seconds within which an answer may still be that of before a change that it crossed.
CROSSING = 1.0


@dataclass
class Contract:
	"""What the operator says of one TV: valid or not since some moment, the last one last."""

	kind: str
	said: list[tuple[float, bool]] = field(default_factory=list)
	until: int = 0

	def become(self, valid: bool, until: int, moment: float) -> None:
		self.said.append((moment, valid))
		self.until = until

	def never_invalid(self, upto: float) -> bool:
		"""Whether it has been valid from the beginning until this moment, to the second."""
		return all(valid for moment, valid in self.said if moment <= upto) and not self._ended(upto)

	def never_valid(self, upto: float) -> bool:
		"""Whether nobody ever said that it may play."""
		return not any(valid for moment, valid in self.said if moment <= upto)

	def is_valid(self, began: float, ended: float) -> bool | None:
		"""Whether it was valid all the time between; None when that changed within, or just before."""
		changes = [moment for moment, _ in self.said[1:]] + [self.until] * bool(self.until)
		if any(began - CROSSING <= moment <= ended for moment in changes):
			return None
		return [valid for moment, valid in self.said if moment <= began][-1] and not self._ended(began)

	def _ended(self, moment: float) -> bool:
		return bool(self.until) and moment >= self.until


@dataclass(frozen=True)
class Ask:
	"""One power-on: when, how it ended, after how many tries, by which node. `dark`: no answer, and none to play on by."""

	serial: str
	began: float
	ended: float
	kind: str
	code: str
	tries: int
	node: str
	lease_until: int = 0
	play_until: int = 0
	dark: bool = False


@dataclass
class Tally:
	"""The sum of a run, and every ask that broke a law. `dark` are the asks of valid TVs whose screen went dark."""

	tvs: int = 0
	asks: int = 0
	served: int = 0
	refused: int = 0
	lost: int = 0
	dark: int = 0
	# Answers by news that had not reached the node: served on a lease, or refused though restored.
	on_lease: int = 0
	waiting: int = 0
	most_tries: int = 0
	again: int = 0
	longest: float = 0.0
	denied: list[Ask] = field(default_factory=list)
	overserved: list[Ask] = field(default_factory=list)


def judge(asks: Sequence[Ask], contracts: Mapping[str, Contract], healed: float) -> Tally:
	"""Hold every answer against its TV's contract. Who asked after `healed` must be answered exactly by it.

	Workers look for a fresh file once a second, so that exactly means from a second later on.
	"""
	healed += CROSSING
	tally = Tally(len(contracts), len(asks))
	for ask in asks:
		_count(tally, ask)
		contract = contracts[ask.serial]
		valid = contract.is_valid(ask.began, ask.ended)
		tally.dark += ask.dark and valid is True
		if ask.kind == REFUSED and _is_denied(ask, contract, valid, healed):
			tally.denied.append(ask)
		elif ask.kind == SERVED and _is_overserved(ask, contract, valid, healed):
			tally.overserved.append(ask)
		elif valid is not None and ask.kind != LOST and valid != (ask.kind == SERVED):
			tally.on_lease += ask.kind == SERVED
			tally.waiting += ask.kind == REFUSED
	return tally


def _count(tally: Tally, ask: Ask) -> None:
	tally.served += ask.kind == SERVED
	tally.refused += ask.kind == REFUSED
	tally.lost += ask.kind == LOST
	tally.again += ask.tries > 1
	tally.most_tries = max(tally.most_tries, ask.tries)
	tally.longest = max(tally.longest, ask.ended - ask.began)


def _is_denied(ask: Ask, contract: Contract, valid: bool | None, healed: float) -> bool:
	if ask.code in ("fake", "bad_signature", "invalid_device"):
		# Whatever its contract says, a TV that is known is never a stranger, nor lied to.
		return True
	return contract.never_invalid(ask.ended) or (ask.began > healed and valid is True)


def _is_overserved(ask: Ask, contract: Contract, valid: bool | None, healed: float) -> bool:
	if ask.lease_until <= ask.began or ask.play_until > ask.lease_until:
		return True
	if contract.until and (ask.began >= contract.until + CROSSING or ask.play_until > contract.until):
		return True
	return contract.never_valid(ask.ended) or (ask.began > healed and valid is False)
