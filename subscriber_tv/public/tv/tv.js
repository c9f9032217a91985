// The TV page: a television in a browser. Address: ?serial=LG55-000001&lang=fr, and for tests and demonstrations
// &api= (who answers), &kind=edge|desk, &on=1 (no power button), &poll= (seconds between questions);
// #credential= makes it a model without a key store, with this secret: a fragment is never sent to a server.

import { NotGenuine, Protocol } from "./protocol.js";
import { WORDS } from "./words.js";

const query = new URLSearchParams(location.search);
const language = (query.get("lang") || navigator.language).startsWith("fr") ? "fr" : "en";
const words = WORDS[language];
const served = location.pathname.startsWith("/assets/") ? "desk" : "edge";
const serial = query.get("serial") || "";
const credential = new URLSearchParams(location.hash.slice(1)).get("credential") || "";
if (/^[\w-]{43}$/.test(credential)) {
	localStorage.setItem(`tv-credential-${serial}`, credential);
	// Kept now; it need not stay in the address for whoever looks at the screen.
	history.replaceState(null, "", location.pathname + location.search);
}
const tv = new Protocol({
	serial,
	api: (query.get("api") || "").replace(/\/$/, ""),
	kind: query.get("kind") || served,
	storage: localStorage,
});
const RETRY_SECONDS = 10;

const screen = document.getElementById("screen");
let shown = "";
let timer = 0;
let pairing = null;

// Drawing

function say(name, ...values) {
	return values.reduce((text, value, index) => text.replace(`{${index}}`, value), words[name]);
}

function element(tag, { text, children = [], ...properties } = {}) {
	const node = Object.assign(document.createElement(tag), properties);
	if (text !== undefined) node.textContent = text;
	node.append(...children);
	return node;
}

function show(name, ...nodes) {
	shown = name;
	document.body.className = name;
	screen.replaceChildren(...nodes);
	screen.querySelector("button")?.focus();
}

function message(name, title, ...rest) {
	const children = [element("h1", { text: title }), ...rest];
	show(name, element("section", { className: `message ${name}`, children }));
}

const paragraph = (text) => element("p", { text });
const button = (text, onclick) => element("button", { text, onclick });

function powerSign() {
	const space = "http://www.w3.org/2000/svg";
	const svg = document.createElementNS(space, "svg");
	const path = document.createElementNS(space, "path");
	svg.setAttribute("viewBox", "0 0 24 24");
	path.setAttribute("d", "M12 3v9M6.3 6.8a8 8 0 1 0 11.4 0");
	for (const [name, value] of Object.entries({
		fill: "none",
		stroke: "currentColor",
		"stroke-width": "2",
		"stroke-linecap": "round",
	})) {
		path.setAttribute(name, value);
	}
	svg.append(path);
	return svg;
}

// Screens

function showOff() {
	const power = element("button", { className: "power", onclick: switchOn, children: [powerSign()] });
	power.setAttribute("aria-label", words.start);
	show("off", element("section", { className: "message", children: [power, paragraph(words.start)] }));
}

function showStarting() {
	const spinner = element("div", { className: "spinner" });
	show("starting", element("section", { className: "message", children: [spinner, paragraph(words.starting)] }));
}

function step(text, strong) {
	const children = strong ? [element("strong", { text: strong })] : [];
	return element("li", { children: [element("div", { children: [text, ...children] })] });
}

function showPairing() {
	const address = pairing.verification_uri.replace(/^https?:\/\//, "");
	const steps = [
		step(words.pair_step_1, address || words.pair_ask),
		step(words.pair_step_2),
		step(words.pair_step_3),
		step(words.pair_step_4),
	];
	const left = element("div", {
		children: [element("h1", { text: words.pair_title }), element("ol", { className: "steps", children: steps })],
	});
	const life = element("progress", { id: "life", max: pairing.expires_in, value: pairing.expires_in });
	const card = element("div", {
		className: "card",
		children: [
			element("p", { className: "label", text: words.code }),
			element("p", { className: "code", text: pairing.user_code }),
			element("div", { className: "life", children: [life] }),
			element("p", { className: "hint", id: "hint" }),
		],
	});
	show("pairs", element("section", { className: "pairing", children: [left, card] }));
	showLife();
}

function showLife() {
	const life = document.getElementById("life");
	if (!life) return;
	const left = Math.max(0, Math.round((pairing.until - Date.now()) / 1000));
	const clock = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
	life.value = left;
	document.getElementById("hint").textContent = say("code_life", clock);
}

function showBarker(claims) {
	const [first, ...rest] = claims.text[language].split(/(?<=\.) /);
	const children = [
		element("div", { className: "sign", text: "!" }),
		element("h1", { text: first }),
		paragraph(rest.join(" ")),
		element("p", { className: "again", text: words.again }),
		button(words.retry, askNow),
	];
	show(`barker-${claims.code}`, element("section", { className: "message barker", children }));
}

function channelRow(channel, pick) {
	const children = [
		element("span", { className: "number", text: channel.number || "" }),
		element("span", { text: channel.name }),
	];
	if (channel.definition) children.push(element("span", { className: "badge", text: channel.definition }));
	const row = element("button", { className: "channel", children, onclick: () => pick(channel, row) });
	row.onfocus = row.onclick;
	return row;
}

function showPlaying(offers, answer) {
	const picture = element("div", { className: "picture" });
	const about = element("p", { className: "about", id: "about" });
	const pick = (channel, row) => {
		screen.querySelector(".channel.on")?.classList.remove("on");
		row.classList.add("on");
		const facts = [words.genres[channel.genre] || channel.genre, channel.language?.toUpperCase()].filter(Boolean).join(" · ");
		const badge = channel.definition ? [element("span", { className: "badge", text: channel.definition })] : [];
		picture.replaceChildren(
			element("span", { className: "number", text: channel.number || "" }),
			element("h1", { text: channel.name }),
			element("p", { children: [...badge, facts] })
		);
	};
	const list = offers.flatMap((offer) =>
		offer.bouquets.flatMap((bouquet) => [
			element("h2", { text: `${bouquet.name} – ${say("channels", bouquet.channels.length)}` }),
			...bouquet.channels.map((channel) => channelRow(channel, pick)),
		])
	);
	about.append(element("strong", { text: say("offer", offers.map((offer) => offer.title).join(", ")) }));
	const when = new Date(answer.ask_after * 1000);
	const time = when.toLocaleString(words.locale, { weekday: "long", hour: "2-digit", minute: "2-digit" });
	about.append(element("br"), say("until", time));
	const side = element("div", { className: "side", children: [picture, about] });
	const left = element("div", { className: "list", children: list });
	show("plays", element("section", { className: "playing", children: [left, side] }));
}

async function away() {
	const now = Date.now() / 1000;
	const kept = await tv.lastAnswer(now).catch(() => null);
	if (kept) {
		if (shown !== "plays") await draw(kept);
		note(words.offline);
		return;
	}
	note("");
	message("away", words.away_title, paragraph(words.away), button(words.retry, askNow));
}

function note(text) {
	document.getElementById("status-note").textContent = text;
}

// Behaviour

function switchOn() {
	showStarting();
	ask();
}

function later(seconds) {
	clearTimeout(timer);
	// Browsers cannot wait longer than 24 days, and a TV need not.
	timer = setTimeout(ask, Math.min(Math.max(seconds, 1), 86400) * 1000);
}

function askNow() {
	note(words.asking);
	ask();
}

async function ask() {
	later(RETRY_SECONDS);
	try {
		if (await waitsForCode()) return;
		const reply = await tv.powerOn();
		note("");
		await (ANSWERS[reply.status] || away)(reply);
	} catch (error) {
		if (error instanceof NotGenuine) {
			message("fake", words.fake_title, paragraph(words.fake), button(words.retry, askNow));
		} else {
			await away();
		}
	}
}

async function draw(answer) {
	const offers = await Promise.all(answer.documents.map((hash) => tv.offer(hash)));
	const drawn = answer.documents.join(" ");
	if (screen.dataset.drawn !== drawn || shown !== "plays") showPlaying(offers, answer);
	screen.dataset.drawn = drawn;
}

async function plays({ document: answer }) {
	pairing = null;
	await draw(answer);
	// `poll` is for demonstrations, where nobody waits half a day to see a change.
	later(Number(query.get("poll")) || answer.ask_after - answer.time);
}

function denied({ document: answer, claims }) {
	if (!claims) return away();
	if (shown !== `barker-${claims.code}`) showBarker(claims);
	later(Number(query.get("poll")) || answer.ask_after - answer.time);
}

// Whether the code on the screen still waits to be entered (RFC 8628).
async function waitsForCode() {
	if (!pairing || pairing.until <= Date.now()) return false;
	const { status, document: answer } = await tv.poll(pairing.device_code);
	if (status !== 400 || !["authorization_pending", "slow_down"].includes(answer.error)) {
		// Entered, refused or too old: the next question tells.
		if (status === 200 || status === 400) pairing = null;
		return status >= 500 || status === 429;
	}
	if (answer.error === "slow_down") pairing.interval += 5;
	later(pairing.interval);
	return true;
}

async function pair() {
	const reply = await tv.enrol();
	if (reply.status === 401 || reply.status === 400) return refused();
	if (reply.status !== 200) return away();
	pairing = { ...reply.document, until: Date.now() + reply.document.expires_in * 1000 };
	showPairing();
	later(pairing.interval);
}

function refused() {
	const serial = paragraph(say("serial", tv.serial));
	message("refused", words.refused_title, paragraph(words.refused), serial, button(words.retry, askNow));
	later(60);
}

const ANSWERS = { 200: plays, 401: pair, 403: denied };

const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

addEventListener("keydown", (event) => {
	const move = STEPS[event.key];
	const buttons = [...screen.querySelectorAll("button")];
	if (!move || !buttons.length) return;
	event.preventDefault();
	const at = buttons.indexOf(document.activeElement);
	buttons[(at + move + buttons.length) % buttons.length].focus();
});

function tick() {
	const now = new Date();
	document.getElementById("status-clock").textContent = now.toLocaleTimeString(words.locale, {
		hour: "2-digit",
		minute: "2-digit",
	});
	if (pairing) showLife();
}

document.documentElement.lang = language;
document.getElementById("status-serial").textContent = tv.serial && say("serial", tv.serial);
setInterval(tick, 1000);
tick();
if (!/^[A-Z0-9-]{6,32}$/.test(tv.serial)) {
	message("refused", words.no_serial_title, paragraph(words.no_serial));
} else if (!crypto.subtle) {
	message("refused", words.insecure_title, paragraph(words.insecure));
} else if (query.get("on")) {
	switchOn();
} else {
	showOff();
}
