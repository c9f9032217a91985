"""The life of a subscription: its states and the one table of transitions between them.

Draft → Awaiting Documents → Awaiting Installation → Awaiting Activation → Active ⇄ Suspended
→ Cancelling (served to its end date) → Cancelled → Uninstalled, with reactivation from the last two.
"""

from collections.abc import Mapping
from types import MappingProxyType

DRAFT = "Draft"
AWAITING_DOCUMENTS = "Awaiting Documents"
AWAITING_INSTALLATION = "Awaiting Installation"
AWAITING_ACTIVATION = "Awaiting Activation"
ACTIVE = "Active"
SUSPENDED = "Suspended"
CANCELLING = "Cancelling"
CANCELLED = "Cancelled"
UNINSTALLED = "Uninstalled"

STATES = (
	DRAFT,
	AWAITING_DOCUMENTS,
	AWAITING_INSTALLATION,
	AWAITING_ACTIVATION,
	ACTIVE,
	SUSPENDED,
	CANCELLING,
	CANCELLED,
	UNINSTALLED,
)

#: The event that opens a contract; it has no state before it.
CREATE = "create"

EVENTS = (
	CREATE,
	"request_documents",
	"complete_documents",
	"finish_installation",
	"activate",
	"suspend",
	"resume",
	"cancel_at_date",
	"withdraw_cancellation",
	"end",
	"uninstall",
	"reactivate",
)

#: Takes back a change that is not one of state.
WITHDRAW = "withdraw"

#: Binds the contract for another term.
RENEW = "renew"

#: Changes beside those of state; they may take effect on any day and leave the state as it is.
OTHER_EVENTS = (
	"change_lines",
	"change_anchor",
	"grant_discount",
	"change_payer",
	"change_holder",
	"move",
	RENEW,
	WITHDRAW,
)

#: Those that can be taken back as if they had never been; holder and site went along with TVs, so they are changed again.
WITHDRAWABLE = ("change_lines", "change_anchor", "grant_discount", "change_payer")

#: (state before, event) -> state after. None is the state before `create`.
TRANSITIONS: Mapping[tuple[str | None, str], str] = MappingProxyType(
	{
		(None, CREATE): DRAFT,
		(DRAFT, "request_documents"): AWAITING_DOCUMENTS,
		(AWAITING_DOCUMENTS, "complete_documents"): AWAITING_INSTALLATION,
		(AWAITING_INSTALLATION, "finish_installation"): AWAITING_ACTIVATION,
		(AWAITING_ACTIVATION, "activate"): ACTIVE,
		(ACTIVE, "suspend"): SUSPENDED,
		(SUSPENDED, "resume"): ACTIVE,
		(ACTIVE, "cancel_at_date"): CANCELLING,
		(SUSPENDED, "cancel_at_date"): CANCELLING,
		(CANCELLING, "withdraw_cancellation"): ACTIVE,
		**{(state, "end"): CANCELLED for state in STATES if state not in (CANCELLED, UNINSTALLED)},
		(CANCELLED, "uninstall"): UNINSTALLED,
		(CANCELLED, "reactivate"): AWAITING_ACTIVATION,
		(UNINSTALLED, "reactivate"): AWAITING_INSTALLATION,
	}
)

_WATCHING = frozenset({ACTIVE, CANCELLING})
_BILLABLE = frozenset({ACTIVE, SUSPENDED, CANCELLING})


class IllegalTransition(Exception):
	"""The event cannot happen in this state; `allowed` lists those that can."""

	def __init__(self, state: str | None, event: str, allowed: tuple[str, ...]):
		super().__init__(
			f"{event} cannot happen in state {state}; possible: {', '.join(allowed) or 'nothing'}"
		)
		self.state = state
		self.event = event
		self.allowed = allowed


def changes_state(event: str) -> bool:
	"""Whether the event is a step of the table."""
	return event not in OTHER_EVENTS


def may_change_terms(state: str) -> bool:
	"""Whether a contract in `state` can still get another line, price or payer."""
	return state not in (CANCELLED, UNINSTALLED)


def allowed_events(state: str | None) -> tuple[str, ...]:
	"""Events that can happen in `state`, in the order of EVENTS."""
	return tuple(event for event in EVENTS if (state, event) in TRANSITIONS)


def next_state(state: str | None, event: str, before_cancelling: str = ACTIVE) -> str:
	"""State after `event`; IllegalTransition when the table has no such step.

	`before_cancelling` is the state the cancellation was asked in: withdrawing it leads back there, so a
	suspended subscriber who cancels and changes his mind is still suspended.
	"""
	try:
		after = TRANSITIONS[state, event]
	except KeyError:
		raise IllegalTransition(state, event, allowed_events(state)) from None
	if event == "withdraw_cancellation" and before_cancelling == SUSPENDED:
		return SUSPENDED
	return after


def watching(state: str) -> bool:
	"""Whether the TVs of a subscription in `state` may play."""
	return state in _WATCHING


def billable(state: str) -> bool:
	"""Whether days spent in `state` are charged: a suspension stops rights, not billing."""
	return state in _BILLABLE
