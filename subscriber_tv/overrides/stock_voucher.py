"""The vouchers that move stock: their TVs follow while the user still waits, so that a refusal has a message.

Whatever moves serial numbers in another way is followed right before its transaction commits.
"""

from subscriber_tv.flows.devices import follow_stock


def on_submit(doc, method: str | None = None) -> None:
	"""Write what this voucher did to its TVs."""
	follow_stock.flush()


def on_cancel(doc, method: str | None = None) -> None:
	"""Write what taking this voucher back did to its TVs."""
	follow_stock.flush()
