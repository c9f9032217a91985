// What stands on the screen. Each screen is a function that draws it anew, so that it can be drawn in another language.

import { drawQr } from "./qr.js";
import { countdown, language, moment, say, words } from "./words.js";

const SPACE = "http://www.w3.org/2000/svg";
const SIGNS = {
	power: "M12 3v9M6.3 6.8a8 8 0 1 0 11.4 0",
	pause: "M9 6v12M15 6v12",
	end: "M12 6v7M12 17.2v.3",
	away: "M4 9.5a12 12 0 0 1 16 0M7.2 13a7.4 7.4 0 0 1 9.6 0M12 17.5v.2",
	lock: "M6.5 11h11v8h-11zM9 11V8a3 3 0 0 1 6 0v3",
	key: "M12 6.5v.2M12 11v7",
};

const screen = document.getElementById("screen");
let current = { name: "off", draw: () => [] };

export const shown = () => current.name;
export const byId = (id) => document.getElementById(id);

export function element(tag, { text, children = [], ...properties } = {}) {
	const node = Object.assign(document.createElement(tag), properties);
	if (text !== undefined) node.textContent = text;
	node.append(...children.filter((child) => child !== null));
	return node;
}

export const button = (text, onclick, className = "") => element("button", { text, onclick, className });
const paragraph = (text, className = "") => element("p", { text, className });

export function sign(name) {
	const svg = document.createElementNS(SPACE, "svg");
	const path = document.createElementNS(SPACE, "path");
	svg.setAttribute("viewBox", "0 0 24 24");
	svg.setAttribute("aria-hidden", "true");
	path.setAttribute("d", SIGNS[name]);
	svg.append(path);
	return svg;
}

// Show a screen: `draw` gives its nodes, now and whenever the language changes.
export function show(name, draw, hints = []) {
	current = { name, draw, hints };
	redraw();
}

export function redraw() {
	const { name, draw, hints } = current;
	document.body.className = name;
	screen.replaceChildren(...draw());
	(screen.querySelector("[data-first]") || screen.querySelector("button"))?.focus();
	byId("language").textContent = words().other;
	byId("hints").replaceChildren(...hints.map(([key, text]) => hint(key, words()[text])));
}

function hint(key, text) {
	return element("span", { className: "hint", children: [element("kbd", { text: key }), text] });
}

export function note(text, isWarning = false) {
	byId("note").textContent = text;
	byId("note").className = isWarning ? "warning" : "";
}

const centred = (className, children) => [element("section", { className: `message ${className}`, children })];

export function showOff(switchOn) {
	show("off", () => {
		const power = element("button", { className: "power", onclick: switchOn, children: [sign("power")] });
		power.setAttribute("aria-label", words().start);
		return centred("", [power, paragraph(words().start)]);
	});
}

export function showWaiting(text) {
	show("starting", () => centred("", [element("div", { className: "spinner" }), paragraph(words()[text])]));
}

// A message with a title, a text and perhaps one button. `until` counts down.
export function showMessage(name, { icon = "end", title, text, values = [], until = 0, press = null }) {
	show(
		name,
		() => {
			const disc = element("div", { className: "sign", children: [sign(icon)] });
			const next = until ? element("p", { className: "again", id: "until" }) : null;
			const action = press ? button(words()[press[0]], press[1]) : null;
			const heading = element("h1", { text: words()[title] });
			return centred(name, [disc, heading, paragraph(say(text, ...values)), next, action]);
		},
		press ? [["OK", "hint_ok"]] : []
	);
	current.until = until;
	tick();
}

// The texts of a denial are those that are signed, or stand under the MAC.
export function showBarker(claims, askNow) {
	const icon = claims.code === "suspended" ? "pause" : "end";
	show(
		`barker-${claims.code}`,
		() => {
			const [first, ...rest] = String(claims.text[language()]).split(/(?<=\.) /);
			const disc = element("div", { className: "sign", children: [sign(icon)] });
			const children = [disc, element("h1", { text: first }), paragraph(rest.join(" "))];
			if (claims.code === "suspended") children.push(paragraph(words().again, "again"));
			return centred("barker", [...children, button(words().retry, askNow)]);
		},
		[["OK", "hint_ok"]]
	);
}

export function showPairing(pairing, serial) {
	show("pairs", () => {
		const address = pairing.verification_uri.replace(/^https?:\/\//, "");
		const steps = [
			step(words().pair_step_1, address || words().pair_ask),
			step(words().pair_step_2),
			step(words().pair_step_3),
		];
		const list = element("ol", { className: "steps", children: steps });
		const left = element("div", {
			children: [element("h1", { text: words().pair_title }), list],
		});
		const life = element("progress", { id: "life", max: pairing.expires_in, value: pairing.expires_in });
		const code = element("div", {
			className: "code-side",
			children: [
				paragraph(words().code, "label"),
				codeLine(pairing.user_code),
				element("p", { className: "serial", children: [words().info_serial, element("b", { text: serial })] }),
				life,
				element("p", { className: "life", id: "until" }),
			],
		});
		const qr = drawQr(pairing.verification_uri_complete || pairing.verification_uri, words().qr);
		const card = element("div", {
			className: "card",
			children: [qr, code, paragraph(words().compare, "compare")],
		});
		return [element("section", { className: "pairing", children: [left, card] })];
	});
	current.until = pairing.until;
	current.life = "code_life";
	tick();
}

// Large: it may break after its dash.
function codeLine(code) {
	const parts = code.split("-").flatMap((part, at) => (at ? ["-", element("wbr"), part] : [part]));
	return element("p", { className: "code", children: parts });
}

function step(text, strong) {
	const children = strong ? [element("strong", { text: strong })] : [];
	return element("li", { children: [element("div", { children: [text, ...children] })] });
}

// Facts over the picture, for whoever is asked for them on the telephone.
export function showInfo(facts, forget, close) {
	const rows = facts.flatMap(([name, value]) => [
		element("dt", { text: words()[name] }),
		element("dd", { text: value || words().info_none }),
	]);
	const buttons = [button(words().info_close, close), button(words().info_forget, forget, "quiet")];
	const card = element("div", {
		className: "info-card",
		children: [
			element("h1", { text: words().info_title }),
			element("dl", { children: rows }),
			element("div", { className: "buttons", children: buttons }),
		],
	});
	const info = element("section", { className: "info", id: "info", children: [card] });
	screen.append(info);
	buttons[0].focus();
}

// What changes each second.
let clock = () => 0;

// Whose time it is: the TV's, not the browser's.
export function useClock(given) {
	clock = given;
	setInterval(tick, 1000);
}

export function tick() {
	const now = clock();
	byId("clock").textContent = moment(now);
	const line = byId("until");
	if (!line || !current.until) return;
	line.textContent = say(current.life || "next_try", countdown(current.until - now));
	const life = byId("life");
	if (life) life.value = Math.max(0, current.until - now);
}
