// A TV that plays: the picture, a banner, and a list of channels that comes and goes. The picture stands for the stream.

import { element, show, sign } from "./screens.js";
import { say, words } from "./words.js";

const BANNER_MS = 5000;
const NUMBER_MS = 1600;
const SHORTEST_PIN = 4;
const LONGEST_PIN = 8;
const HUES = { General: 214, Cinema: 262, Series: 292, Sport: 146, News: 4, Youth: 38, Music: 322, Documentary: 178 };
const HINTS = [
	["↕", "hint_move"],
	["OK", "hint_ok"],
	["←", "hint_back"],
	["CH±", "hint_zap"],
	["i", "hint_info"],
];

export class Playing {
	// `watch(channel)` is told what is watched, `unlock(pin)` the PIN of a locked channel; `remember` keeps the channel over a
	// power cut.
	constructor({ watch, unlock, remembered, remember }) {
		this.watch = watch;
		this.unlock = unlock;
		this.lock = 0;
		this.pin = "";
		this.isWrong = false;
		this.remembered = remembered;
		this.remember = remember;
		this.channels = [];
		this.drawn = "";
		this.isFull = false;
		this.typed = "";
	}

	get isShown() {
		return document.body.classList.contains("plays");
	}

	// `lock`: the age from which on channels are locked, 0 for none.
	show(offers, documents, lock = 0) {
		const key = `${documents} ${lock}`;
		if (this.isShown && this.drawn === key) return;
		this.drawn = key;
		this.lock = lock;
		this.offers = offers;
		this.channels = offers.flatMap((offer) => offer.bouquets.flatMap((bouquet) => bouquet.channels));
		const last = this.remembered();
		this.on = this.channels.find((channel) => channel.code === last) || this.channels[0];
		this.isFull = false;
		show("plays", () => this.draw(), HINTS);
		if (this.on) this.start();
	}

	// What is locked is locked without an answer too.
	start() {
		const age = this.on.age || 0;
		this.blocked = 0 < this.lock && this.lock <= age ? "locked" : null;
		this.pin = "";
		this.isWrong = false;
		this.paint();
		this.watch(this.on);
	}

	draw() {
		this.picture = element("div", { className: "picture" });
		this.rows = new Map();
		const list = this.offers.flatMap((offer) => offer.bouquets.flatMap((bouquet) => this.bouquet(bouquet)));
		const title = this.offers.map((offer) => offer.title).join(", ");
		const head = [element("span", { text: words().offer }), element("h1", { text: title })];
		this.list = element("div", { className: "list", children: list });
		const panel = element("aside", {
			className: "panel",
			children: [element("div", { className: "offer", children: head }), this.list],
		});
		this.banner = element("div", { className: "banner" });
		this.number = element("div", { className: "typed", hidden: true });
		this.paint();
		document.body.classList.toggle("full", this.isFull);
		return [this.picture, panel, this.banner, this.number];
	}

	bouquet({ name, channels }) {
		const count = channels.length === 1 ? words().one_channel : say("channels", channels.length);
		const title = element("h2", { children: [name, element("span", { text: count })] });
		return [title, ...channels.map((channel) => this.row(channel))];
	}

	row(channel) {
		const children = [
			element("span", { className: "number", text: channel.number || "" }),
			element("span", { className: "name", text: channel.name }),
			...badge(channel),
		];
		const row = element("button", { className: "channel", children, onclick: () => this.choose(channel) });
		row.onfocus = () => row.scrollIntoView({ block: "nearest" });
		this.rows.set(channel, row);
		return row;
	}

	// OK on a channel tunes to it; OK on the one that is on leaves the list.
	choose(channel) {
		if (channel === this.on) return this.full(true);
		return this.tune(channel);
	}

	tune(channel) {
		if (!channel || channel === this.on) return;
		this.on = channel;
		this.remember(channel.code);
		this.start();
	}

	// The stream may not run: the text says why. null: it may.
	block(reason, isWrong = false) {
		if (!this.isShown || (this.blocked === reason && !isWrong)) return;
		this.blocked = reason;
		this.isWrong = isWrong;
		this.pin = "";
		this.paint();
	}

	paint() {
		const channel = this.on;
		if (!channel) return;
		for (const [known, row] of this.rows) {
			row.classList.toggle("on", known === channel);
			if (known === channel) row.dataset.first = "";
			else delete row.dataset.first;
		}
		this.picture.style.setProperty("--hue", HUES[channel.genre] ?? hue(channel.code));
		this.picture.style.setProperty("--turn", `${hue(channel.name) % 90}deg`);
		this.picture.classList.toggle("blocked", Boolean(this.blocked));
		const monogram = channel.name
			.split(/\s+/)
			.map((word) => word[0])
			.join("")
			.slice(0, 3);
		const middle = this.blocked ? this.blockedCard() : element("b", { text: monogram });
		this.picture.replaceChildren(element("i", {}), element("i", {}), middle);
		this.paintBanner(channel);
	}

	blockedCard() {
		const isLocked = this.blocked.startsWith("locked");
		const title = words()[isLocked ? "locked_title" : `${this.blocked}_title`];
		const text = isLocked ? say("locked", this.on.age || this.lock) : words()[this.blocked];
		const children = [
			element("div", { className: "sign", children: [sign(isLocked ? "lock" : "pause")] }),
			element("h1", { text: title }),
			element("p", { text }),
		];
		if (this.blocked === "locked_pin") {
			const dots = "●".repeat(this.pin.length) + "○".repeat(Math.max(0, 4 - this.pin.length));
			children.push(element("div", { className: "pin", text: dots }));
			children.push(element("p", { text: words()[this.isWrong ? "wrong_pin" : "type_pin"] }));
		}
		return element("div", { className: "blocked-card", children });
	}

	paintBanner(channel) {
		const genre = words().genres[channel.genre] || channel.genre;
		const facts = [genre, channel.language?.toUpperCase()].filter(Boolean).join(" · ");
		this.banner.replaceChildren(
			element("span", { className: "number", text: channel.number || "" }),
			element("div", {
				children: [
					element("strong", { text: channel.name }),
					element("p", { children: [...badge(channel), facts] }),
				],
			})
		);
		// Nothing stays over a picture that is watched.
		document.body.classList.remove("calm");
		clearTimeout(this.leaving);
		this.leaving = setTimeout(() => document.body.classList.toggle("calm", this.isFull), BANNER_MS);
	}

	full(isFull) {
		this.isFull = isFull;
		document.body.classList.toggle("full", isFull);
		this.paintBanner(this.on);
		if (isFull) document.activeElement?.blur();
		else this.rows.get(this.on)?.focus();
	}

	// A key of the remote control; whether it was taken.
	act(action, key) {
		if (this.blocked === "locked_pin" && this.actOnPin(action, key)) return true;
		if (action === "digit") return this.type(key);
		if (action === "next" || (this.isFull && action === "up")) return this.zap(1);
		if (action === "previous" || (this.isFull && action === "down")) return this.zap(-1);
		if (action === "back" || action === "left" || action === "right") return this.leave(action);
		return false;
	}

	actOnPin(action, key) {
		if (action === "digit") {
			this.isWrong = false;
			this.pin = (this.pin + key).slice(0, LONGEST_PIN);
		} else if (action === "back" && this.pin) {
			this.pin = this.pin.slice(0, -1);
		} else if (action === "ok" && this.pin.length >= SHORTEST_PIN) {
			this.unlock(this.pin);
			this.pin = "";
		} else {
			return false;
		}
		this.paint();
		return true;
	}

	leave(action) {
		if (!this.isFull && action === "right") return false;
		const inList = this.list.contains(document.activeElement);
		if (!this.isFull && action === "left" && !inList) return false;
		this.full(!this.isFull);
		return true;
	}

	zap(step) {
		const at = this.channels.indexOf(this.on);
		const next = this.channels[(at + step + this.channels.length) % this.channels.length];
		this.tune(next);
		if (!this.isFull) this.rows.get(next)?.focus();
		return true;
	}

	// Digits make a number; it counts when no more follow.
	type(digit) {
		this.typed = (this.typed + digit).slice(-4);
		this.tell(this.typed);
		clearTimeout(this.typing);
		this.typing = setTimeout(() => this.dial(), NUMBER_MS);
		return true;
	}

	dial() {
		const number = String(Number(this.typed));
		this.typed = "";
		const found = this.channels.find((channel) => String(channel.number) === number);
		if (!found) {
			this.tell(say("no_channel", number));
			this.typing = setTimeout(() => this.tell(""), NUMBER_MS);
			return;
		}
		this.tell("");
		this.tune(found);
		if (!this.isFull) this.rows.get(found)?.focus();
	}

	tell(text) {
		this.number.textContent = text;
		this.number.hidden = !text;
	}
}

function badge(channel) {
	const age = channel.age ? `-${channel.age}` : "";
	return [age, channel.definition].filter(Boolean).map((text) => element("span", { className: "badge", text }));
}

// A colour for what has none of its own: always the same for the same name.
function hue(text) {
	return [...String(text)].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);
}
