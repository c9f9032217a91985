// A TV that plays: the picture, a banner, and a list of channels that comes and goes. The picture stands for the stream.

import { element, show, sign } from "./screens.js";
import { say, words } from "./words.js";

const BANNER_MS = 5000;
const NUMBER_MS = 1600;
const HUES = { General: 214, Cinema: 262, Series: 292, Sport: 146, News: 4, Youth: 38, Music: 322, Documentary: 178 };
const HINTS = [
	["↕", "hint_move"],
	["OK", "hint_ok"],
	["←", "hint_back"],
	["CH±", "hint_zap"],
	["i", "hint_info"],
];

export class Playing {
	// `watch(channel)` is told what is watched; `remember` keeps the channel over a power cut.
	constructor({ watch, remembered, remember }) {
		this.watch = watch;
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

	show(offers, key) {
		if (this.isShown && this.drawn === key) return;
		this.drawn = key;
		this.offers = offers;
		this.channels = offers.flatMap((offer) => offer.bouquets.flatMap((bouquet) => bouquet.channels));
		const last = this.remembered();
		this.on = this.channels.find((channel) => channel.code === last) || this.channels[0];
		this.isFull = false;
		this.blocked = null;
		show("plays", () => this.draw(), HINTS);
		if (this.on) this.watch(this.on);
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
		this.blocked = null;
		this.remember(channel.code);
		this.paint();
		this.watch(channel);
	}

	// The stream may not run: the text says why. null: it may.
	block(reason) {
		if (this.blocked === reason || !this.isShown) return;
		this.blocked = reason;
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
		const middle = this.blocked ? blockedCard(this.blocked) : element("b", { text: monogram });
		this.picture.replaceChildren(element("i", {}), element("i", {}), middle);
		this.paintBanner(channel);
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
		if (action === "digit") return this.type(key);
		if (action === "next" || (this.isFull && action === "up")) return this.zap(1);
		if (action === "previous" || (this.isFull && action === "down")) return this.zap(-1);
		if (action === "back" || action === "left" || action === "right") return this.leave(action);
		return false;
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
	return channel.definition ? [element("span", { className: "badge", text: channel.definition })] : [];
}

function blockedCard(reason) {
	const children = [
		element("div", { className: "sign", children: [sign("pause")] }),
		element("h1", { text: words()[`${reason}_title`] }),
		element("p", { text: words()[reason] }),
	];
	return element("div", { className: "blocked-card", children });
}

// A colour for what has none of its own: always the same for the same name.
function hue(text) {
	return [...String(text)].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);
}
