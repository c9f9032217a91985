"""A television in a browser, from its box to the picture and back: it speaks protocol v1 with an edge, or with the desk."""

import os
import re

import pytest
from playwright.sync_api import expect

SECONDS = 1000
ENDED = "body.barker-ended"
SUSPENDED = "body.barker-suspended"


@pytest.fixture
def living_room(chromium):
	"""Opens TV pages: `living_room(address, locale)`. Nothing may fail in them, and nothing may come from elsewhere."""
	contexts, complaints, strangers = [], [], []

	def open_tv(address: str, locale: str = "fr-FR", size=(1280, 720)):
		context = chromium.new_context(
			viewport={"width": size[0], "height": size[1]}, locale=locale, reduced_motion="reduce"
		)
		contexts.append(context)
		tv = context.new_page()
		tv.set_default_timeout(30 * SECONDS)
		origin = address.split("/", 3)[2]
		tv.on("pageerror", lambda error: complaints.append(str(error)))
		tv.on(
			"console", lambda said: complaints.append(said.text) if "Security Policy" in said.text else None
		)
		tv.on("request", lambda asked: strangers.append(asked.url) if origin not in asked.url else None)
		tv.goto(address)
		return tv

	yield open_tv
	for context in contexts:
		context.close()
	assert not complaints and not strangers


def test_a_tv_pairs_plays_is_suspended_plays_again_and_ends(living_room, desk, scene, picture):
	serial = scene.serials[1]
	tv = living_room(f"{edge()}/tv/?serial={serial}&poll=1")
	picture(tv, "tv-off")
	tv.keyboard.press("Enter")
	code = tv.locator(".code")
	expect(code).to_have_text(re.compile(r"^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$"))
	expect(tv.locator(".card")).to_contain_text(serial)
	expect(tv.locator("svg.qr")).to_be_visible()
	picture(tv, "tv-pairing")
	tv.keyboard.press("l")
	expect(tv.locator("h1")).to_have_text("Pair this TV")
	picture(tv, "tv-pairing-en")
	tv.keyboard.press("l")

	# A power cut does not cost the code.
	shown = code.text_content()
	tv.reload()
	tv.keyboard.press("Enter")
	expect(code).to_have_text(shown)

	scan(desk, tv, scene, serial, picture)
	expect(tv.locator("body.plays .channel").first).to_be_visible()
	expect(tv.locator("#note")).to_contain_text("Droits vérifiés")
	picture(tv, "tv-playing")

	change(desk, scene.subscription, "suspend")
	expect(tv.locator(SUSPENDED)).to_be_visible()
	expect(tv.locator("h1")).to_contain_text("suspendu")
	picture(tv, "tv-suspended")
	tv.keyboard.press("l")
	expect(tv.locator("h1")).to_contain_text("suspended")
	picture(tv, "tv-suspended-en")

	# Nobody answers: a TV that was refused stays dark, at once and after a power cut.
	tv.route("**/v1/**", lambda route: route.abort())
	tv.get_by_role("button", name="Try again").click()
	tv.wait_for_timeout(1500)
	expect(tv.locator(SUSPENDED)).to_be_visible()
	tv.reload()
	tv.keyboard.press("Enter")
	expect(tv.locator("body.away")).to_be_visible()
	tv.unroute("**/v1/**")

	change(desk, scene.subscription, "resume")
	tv.get_by_role("button", name="Try again").click()
	expect(tv.locator("body.plays .channel").first).to_be_visible()
	picture(tv, "tv-playing-en")
	watch_and_zap(tv, picture)
	remembers(tv, serial)
	opens_by_pin(tv, desk, serial)

	change(desk, scene.subscription, "end")
	expect(tv.locator(ENDED)).to_be_visible()
	expect(tv.locator("h1")).to_contain_text("a pris fin")
	picture(tv, "tv-ended")
	tv.keyboard.press("l")
	expect(tv.locator("h1")).to_contain_text("ended")
	picture(tv, "tv-ended-en")


def test_a_tv_asks_the_desk_itself(living_room, desk, scene):
	"""The same page from the site's own assets, with the desk as its node."""
	tv = living_room(
		f"{site()}/assets/subscriber_tv/tv/index.html?serial={scene.serials[2]}&poll=1&on=1", "en-GB"
	)
	expect(tv.locator("h1")).to_have_text("Pair this TV")
	code = tv.locator(".code").text_content()
	desk.evaluate(
		"([subscription, code]) => frappe.xcall('subscriber_tv.api.activation.bind', { subscription, line_id: 'L1', code })",
		[scene.spare, code],
	)
	expect(tv.locator("body.plays .channel").first).to_be_visible()
	tv.keyboard.press("i")
	expect(tv.locator(".info")).to_contain_text("desk (")


def test_a_stranger_is_told_so(living_room, picture):
	tv = living_room(f"{edge()}/tv/?serial=TV-NEVER-SEEN-1&on=1", "en-GB")
	expect(tv.locator("h1")).to_have_text("This TV is not recognised")
	picture(tv, "tv-refused-en")


def test_a_full_edge_gives_a_place_in_the_queue(living_room, picture):
	"""What an edge says under a storm, word for word (docs/edge.md); it cannot be made to say it by one TV."""
	tv = living_room(f"{edge()}/tv/?serial=TV-NEVER-SEEN-2", "en-GB")
	asked, said = [], '{"error":"overloaded","error_description":"…","retry_ms":3000,"slot":"ticket-7"}'

	def full(route):
		asked.append(route.request.headers)
		headers = {"Content-Type": "application/json", "Retry-After": "3"}
		route.fulfill(status=503, headers=headers, body=said) if len(asked) < 2 else route.fallback()

	tv.route("**/v1/challenge", full)
	tv.keyboard.press("Enter")
	expect(tv.locator("h1")).to_have_text("Many TVs are starting")
	expect(tv.locator("#until")).to_contain_text("0:0")
	expect(tv.locator("main button")).to_have_count(0)
	picture(tv, "tv-busy-en")
	expect(tv.locator("h1")).to_have_text("This TV is not recognised", timeout=15 * SECONDS)
	assert [headers.get("x-tv-slot") for headers in asked[:2]] == [None, "ticket-7"]
	assert asked[0]["priority"] == "u=0"


def scan(desk, tv, scene, serial: str, picture) -> None:
	"""The clerk follows the QR code: the desk shows serial, model and place before anything is bound."""
	kept = "(serial) => JSON.parse(localStorage.getItem(`tv-pairing-${serial}`)).verification_uri_complete"
	address = tv.evaluate(kept, serial)
	assert re.fullmatch(rf"{site()}/pair-tv\?code=[A-Z]{{4}}-[A-Z]{{4}}", address)
	drawn = tv.evaluate(
		"""async (address) => {
			const { drawQr } = await import("./qr.js");
			return drawQr(address, "").innerHTML === document.querySelector("svg.qr").innerHTML;
		}""",
		address,
	)
	assert drawn
	desk.goto(address)
	card = desk.locator(".tv-pairing-card")
	expect(card).to_contain_text(address[-9:])
	expect(card).to_contain_text(serial)
	expect(card).to_contain_text(scene.model)
	expect(card).to_contain_text(scene.places[serial])
	picture(desk, "desk-compare-tv")
	button = desk.locator(".tv-pairing-bind", has_text=scene.subscription)
	button.click()
	expect(desk.locator(".tv-pairing-card.done")).to_contain_text(serial)


def watch_and_zap(tv, picture) -> None:
	"""By the remote control: the list, a number, one further, full screen and back."""
	second = tv.locator(".channel").nth(1)
	tv.keyboard.press("ArrowDown")
	expect(second).to_be_focused()
	tv.keyboard.press("Enter")
	expect(second).to_have_class(re.compile("on"))
	tv.keyboard.press("Enter")
	expect(tv.locator("body.full")).to_be_attached()
	tv.keyboard.press("ArrowUp")
	name = tv.locator(".channel").nth(2).locator(".name").text_content()
	expect(tv.locator(".banner strong")).to_have_text(name)
	picture(tv, "tv-full-screen")
	tv.keyboard.press("1")
	expect(tv.locator(".typed")).to_have_text("1")
	first = tv.locator(".channel", has=tv.locator(".number", has_text=re.compile("^1$"))).locator(".name")
	expect(tv.locator(".banner strong")).to_have_text(first.text_content())
	tv.keyboard.press("Backspace")
	expect(tv.locator("body.full")).to_have_count(0)
	tv.keyboard.press("i")
	expect(tv.locator(".info")).to_be_visible()
	picture(tv, "tv-about-en")
	tv.keyboard.press("Escape")
	expect(tv.locator(".info")).to_have_count(0)


def remembers(tv, serial: str) -> None:
	"""Another evening: it plays before it asks, its keys are where no script can read them, and its count goes on."""
	counts = count_of(tv, serial)
	tv.route("**/v1/**", lambda route: route.abort())
	tv.reload()
	tv.keyboard.press("Enter")
	expect(tv.locator("body.plays .channel").first).to_be_visible()
	expect(tv.locator("#note")).to_contain_text("Offline")
	tv.unroute("**/v1/**")
	tv.reload()
	tv.keyboard.press("Enter")
	expect(tv.locator("#note")).to_contain_text("Rights checked")
	assert count_of(tv, serial) > counts
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
	# A restored profile: the count is gone, the language too, and the TV proves itself.
	tv.evaluate("localStorage.clear()")
	tv.reload()
	tv.keyboard.press("Enter")
	expect(tv.locator("#note")).to_contain_text("Droits vérifiés")
	assert count_of(tv, serial) > counts


def opens_by_pin(tv, desk, serial: str) -> None:
	"""A channel that is not for the young, on a TV whose subscriber has a PIN."""
	desk.evaluate(
		"(device) => frappe.xcall('subscriber_tv.api.activation.set_parental_lock',"
		" { device, age: '12', pin: '2468', pin_rule: 'New' })",
		serial,
	)
	told = """(serial) => {
		const { lease } = JSON.parse(localStorage.getItem(`tv-answer-${serial}`));
		return JSON.parse(atob(lease.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).lock === 12;
	}"""
	tv.wait_for_function(told, arg=serial)
	card = tv.locator(".blocked-card")
	tv.keyboard.press("5")
	expect(card).to_contain_text("16 ans")
	expect(card).to_contain_text("Saisissez le code parental")
	tv.keyboard.type("1357")
	expect(card.locator(".pin")).to_have_text("●●●●")
	tv.keyboard.press("Enter")
	expect(card).to_contain_text("Ce code n'est pas le bon.")
	tv.keyboard.type("2468")
	tv.keyboard.press("Enter")
	expect(card).to_have_count(0)
	# Whoever leaves the channel and comes back is asked again.
	tv.keyboard.press("PageUp")
	expect(card).to_have_count(0)
	tv.keyboard.press("PageDown")
	expect(card).to_contain_text("Saisissez le code parental")
	tv.keyboard.press("PageDown")
	expect(card).to_have_count(0)


def change(desk, subscription: str, event: str) -> None:
	desk.evaluate(
		"([subscription, event]) => frappe.xcall('subscriber_tv.api.contracts.change_state', { subscription, event, reason: 'Test' })",
		[subscription, event],
	)


def count_of(tv, serial: str) -> int:
	script = (
		"(serial) => Object.entries(localStorage).find(([name]) => name.startsWith(`tv-count-${serial}-`))[1]"
	)
	return int(tv.evaluate(script, serial))


def edge() -> str:
	return os.environ["SUBSCRIBER_TV_EDGE_URL"]


def site() -> str:
	return os.environ["SUBSCRIBER_TV_URL"]
