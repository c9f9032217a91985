"""A television in a browser, from its box to the picture and back: it speaks protocol v1 with the edge by keys of its own."""

import os
import re

from playwright.sync_api import expect

SECONDS = 1000


def test_a_tv_pairs_plays_is_suspended_and_plays_again(chromium, desk, scene, picture):
	serial = scene.serials[1]
	tv = chromium.new_context(viewport={"width": 1280, "height": 720}, locale="fr-FR").new_page()
	tv.set_default_timeout(30 * SECONDS)
	complaints = []
	tv.on("pageerror", lambda error: complaints.append(str(error)))
	tv.goto(f"{os.environ['SUBSCRIBER_TV_EDGE_URL']}/tv/?serial={serial}&poll=1")
	tv.get_by_role("button", name="Allumer").click()
	code = tv.locator(".code")
	expect(code).to_have_text(re.compile(r"^[A-Z]{4}-[A-Z]{4}$"))
	picture(tv, "tv-pairing")

	bind(desk, scene.subscription, code.inner_text(), picture)
	expect(tv.locator(".plays, body.plays").first).to_be_visible()
	expect(tv.locator(".channel").first).to_be_visible()
	picture(tv, "tv-playing")

	change(desk, scene.subscription, "suspend")
	expect(tv.locator("body.barker-suspended")).to_be_visible()
	expect(tv.locator("h1")).to_contain_text("suspendu")
	picture(tv, "tv-suspended")

	change(desk, scene.subscription, "resume")
	expect(tv.locator(".channel").first).to_be_visible()

	# Another evening: the key is kept where no script can read it, and the count goes on.
	counts = counts_of(tv, serial)
	tv.reload()
	tv.get_by_role("button", name="Allumer").click()
	expect(tv.locator(".channel").first).to_be_visible()
	assert counts_of(tv, serial) > counts
	kinds = tv.evaluate(
		"""async (serial) => {
			const { Keys } = await import("./keys.js");
			const keys = new Keys(serial, "");
			const own = await keys.own(), mac = await keys.mac();
			const tries = [["pkcs8", own.privateKey], ["raw", mac.key]];
			return Promise.all(tries.map(([form, key]) => crypto.subtle.exportKey(form, key).then(() => "read", (no) => no.name)));
		}""",
		serial,
	)
	assert kinds == ["InvalidAccessError", "InvalidAccessError"]
	# A restored profile: the count is gone, and the TV proves itself.
	tv.evaluate("localStorage.clear()")
	tv.reload()
	tv.get_by_role("button", name="Allumer").click()
	expect(tv.locator(".channel").first).to_be_visible()
	assert counts_of(tv, serial) > counts
	assert not complaints


def test_a_stranger_is_told_so(chromium):
	tv = chromium.new_page(locale="en-GB")
	tv.goto(f"{os.environ['SUBSCRIBER_TV_EDGE_URL']}/tv/?serial=TV-NEVER-SEEN-1&on=1")
	expect(tv.locator("h1")).to_have_text("This TV is not recognised")
	tv.close()


def bind(desk, subscription: str, code: str, picture) -> None:
	"""The clerk looks at the TV behind the code, then binds it."""
	desk.goto(f"{os.environ['SUBSCRIBER_TV_URL']}/app/tv-subscription/{subscription}")
	button = desk.locator(".page-head").get_by_role("button", name="Bind TV")
	action = desk.locator(".page-head .inner-group-button .dropdown-item", has_text="Bind TV")
	expect(button.or_(action)).to_be_attached()
	if action.count():
		desk.locator(".page-head .inner-group-button > button").click()
		action.click()
	else:
		button.click()
	dialog = desk.locator(".modal.show")
	dialog.locator("input[data-fieldname=code]").fill(code)
	dialog.get_by_role("button", name="Show This TV").click()
	expect(dialog).to_contain_text("TV page")
	picture(desk, "subscription-compare-tv")
	dialog.get_by_role("button", name="Bind", exact=True).click()
	expect(dialog).to_be_hidden()


def change(desk, subscription: str, event: str) -> None:
	desk.evaluate(
		"([subscription, event]) => frappe.xcall('subscriber_tv.api.contracts.change_state', { subscription, event, reason: 'Test' })",
		[subscription, event],
	)


def counts_of(tv, serial: str) -> int:
	script = (
		"(serial) => Object.entries(localStorage).find(([name]) => name.startsWith(`tv-count-${serial}-`))[1]"
	)
	return int(tv.evaluate(script, serial))
