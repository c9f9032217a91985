// The TV page: a television in a browser. Address: ?serial=LG55-000001&lang=fr, and for tests and demonstrations
// &kind=edge|desk, &on=1 (no power button), &poll= (seconds between questions);
// #credential= makes it a model without a key store, with this secret: a fragment is never sent to a server.

import { Playing } from "./playing.js";
import { afterStart } from "./patience.js";
import { Protocol } from "./protocol.js";
import { listen } from "./remote.js";
import * as screens from "./screens.js";
import { Streams } from "./streams.js";
import { NotGenuine, readJson } from "./trust.js";
import { decode } from "./keys.js";
import { language, moment, say, speak, words } from "./words.js";

const query = new URLSearchParams(location.search);
const served = location.pathname.startsWith("/assets/") ? "desk" : "edge";
const serial = query.get("serial") || "";
const POLL = Number(query.get("poll")) || 0;
const HEARTBEAT = 900;
// A node may hear of a pairing a moment after the TV does.
const ALMOST = 60;
const LONGEST_TIMER = 86400;

const secret = new URLSearchParams(location.hash.slice(1)).get("credential") || "";
const isGiven = /^[\w-]{43}$/.test(secret);
if (isGiven) {
	localStorage.setItem(`tv-credential-${serial}`, secret);
	// Kept now; it need not stay in the address for whoever looks at the screen.
	history.replaceState(null, "", location.pathname + location.search);
}
const tv = new Protocol({ serial, kind: query.get("kind") || served, storage: localStorage });
// Set up by hand is as good as paired.
if (isGiven) tv.forgetOperator();

const playing = new Playing({
	watch: (channel) => streams.watch(channel),
	unlock: (pin) => streams.unlock(pin),
	remembered: () => tv.memory.mine("channel"),
	remember: (code) => tv.memory.keep("channel", code),
});
const streams = new Streams(tv, (...why) => playing.block(...why));

let isOn = false;
let isAsking = false;
let timer = 0;
let beating = 0;
let pairing = null;
let grantedAt = 0;
let misses = 0;

// Asking

async function switchOn() {
	isOn = true;
	screens.showWaiting("starting");
	const waiting = tv.memory.mine("pairing");
	if (waiting?.until > tv.now()) return waitForCode(waiting);
	const putOff = Math.max(0, tv.putOffUntil() - tv.now());
	const kept = await tv.lastAnswer().catch(() => null);
	// Who may play plays first, and asks at a moment of its own.
	if (kept && (await draws(kept))) {
		screens.note(words().asking);
		return later(Math.max(putOff, hurried(afterStart(Math.random()))));
	}
	return putOff ? showAway(tv.putOffUntil()) : ask();
}

// For demonstrations, where nobody waits half a day to see a change. What a node asks for is never cut short.
const hurried = (seconds) => Math.min(seconds, POLL || Infinity);

function later(seconds) {
	clearTimeout(timer);
	timer = setTimeout(ask, Math.min(Math.max(seconds, 0.5), LONGEST_TIMER) * 1000);
}

function askNow() {
	screens.note(words().asking);
	return ask();
}

async function ask() {
	if (isAsking) return;
	isAsking = true;
	clearTimeout(timer);
	try {
		await (pairing ? askForToken() : askForRights());
	} catch (error) {
		await (error instanceof NotGenuine ? notGenuine() : unanswered(error.reply));
	} finally {
		isAsking = false;
	}
}

async function askForRights() {
	const reply = await tv.powerOn();
	const obey = { 200: plays, 403: denied, 401: unknown }[reply.status] || unanswered;
	await obey(reply);
}

async function plays({ document: answer }) {
	grantedAt = 0;
	if (!(await draws(answer))) return unanswered();
	screens.note(say("until", moment(answer.ask_after)));
	const soon = answer.hints?.includes("rotate") ? Math.random() * 600 : Infinity;
	return later(hurried(Math.min(answer.ask_after - answer.time, soon)));
}

async function draws(answer) {
	const offers = await Promise.all(answer.documents.map((hash) => tv.offer(hash))).catch((error) => {
		if (error instanceof NotGenuine) throw error;
		return null;
	});
	if (!offers) return false;
	if (!playing.isShown) setTimeout(beat, 3000 + Math.random() * 10000);
	playing.show(offers, answer.documents.join(" "), claimsOf(answer.lease).lock);
	screens.byId("brand-name").textContent = offers.map((offer) => offer.title).join(", ");
	return true;
}

// Of a lease that was verified when it came.
const claimsOf = (lease) => readJson(decode(lease.split(".")[1]));

function denied({ document: answer, claims }) {
	streams.stop();
	screens.note("");
	if (screens.shown() !== `barker-${claims.code}`) screens.showBarker(claims, askNow);
	later(hurried(answer.ask_after - answer.time));
}

// Nobody answered, or not now: play on while that is allowed, and ask again when it is this TV's turn.
async function unanswered(reply) {
	const until = tv.putOff(reply);
	const kept = await tv.lastAnswer().catch(() => null);
	if (kept && (await draws(kept).catch(() => false))) {
		screens.note(say("offline", moment(kept.play_until)), true);
		return later(Math.min(until, kept.play_until) - tv.now());
	}
	streams.stop();
	if (screens.shown().startsWith("barker-")) return later(until - tv.now());
	return showAway(until, reply?.document?.error === "overloaded");
}

function showAway(until, hasSlot = false) {
	const name = hasSlot ? "busy" : "away";
	screens.note("");
	// Whose place is kept in a queue gains nothing by pressing.
	const press = hasSlot ? null : ["retry", askNow];
	screens.showMessage(name, { icon: "away", title: `${name}_title`, text: name, until, press });
	later(until - tv.now());
}

// A forged answer ends no right to play.
async function notGenuine() {
	const until = tv.putOff();
	const kept = await tv.lastAnswer().catch(() => null);
	later(until - tv.now());
	if (kept && playing.isShown) return screens.note(words().fake_title, true);
	return screens.showMessage("fake", { icon: "key", title: "fake_title", text: "fake", until, press: ["retry", askNow] });
}

// Pairing

async function unknown() {
	if (grantedAt && tv.now() - grantedAt < ALMOST) {
		screens.showWaiting("almost");
		return later(++misses * 2);
	}
	streams.stop();
	const reply = await tv.enrol();
	if (reply.status === 401 || reply.status === 400) return refused();
	if (reply.status !== 200) return unanswered(reply);
	return waitForCode({ ...reply.document, until: tv.now() + reply.document.expires_in });
}

function waitForCode(given) {
	pairing = given;
	tv.memory.keep("pairing", given);
	tv.memory.keep("retry", null);
	screens.note("");
	screens.showPairing(pairing, serial);
	later(pairing.interval);
}

function forgetCode() {
	pairing = null;
	tv.memory.keep("pairing", null);
}

// Whether the code on the screen was entered (RFC 8628).
async function askForToken() {
	if (pairing.until <= tv.now()) {
		forgetCode();
		return askForRights();
	}
	const reply = await tv.poll(pairing.device_code).catch(() => ({ status: 0 }));
	const error = reply.document?.error;
	if (reply.status === 200) {
		forgetCode();
		[grantedAt, misses] = [tv.now(), 0];
		screens.showWaiting("almost");
		return askForRights();
	}
	if (reply.status === 400 && error === "access_denied") return codeDenied();
	if (reply.status === 400 && !["authorization_pending", "slow_down"].includes(error)) {
		forgetCode();
		return askForRights();
	}
	if (error === "slow_down") pairing.interval += 5;
	return later(Math.max(pairing.interval, reply.retryAfter || 0));
}

function codeDenied() {
	forgetCode();
	screens.showMessage("denied", { title: "denied_title", text: "denied", press: ["new_code", askNow] });
}

function refused() {
	const until = tv.now() + 60;
	const press = ["retry", askNow];
	screens.note("");
	screens.showMessage("refused", { icon: "key", title: "refused_title", text: "refused", until, press });
	later(60);
}

// How it is, every quarter of an hour while it plays.
function beat() {
	clearTimeout(beating);
	if (!playing.isShown) return;
	const told = { ch: playing.on?.code || "", fw: tv.parts.firmware, up: String(Math.round(performance.now() / 1000)) };
	tv.heartbeat(told).catch(() => null);
	beating = setTimeout(beat, HEARTBEAT * 1000 * (0.9 + Math.random() * 0.2));
}

// The remote control

function changeLanguage() {
	speak(language() === "fr" ? "en" : "fr");
	localStorage.setItem("tv-language", language());
	document.title = "TV";
	screens.byId("serial").textContent = serial && say("serial", serial);
	screens.redraw();
	screens.tick();
	return true;
}

async function info() {
	if (screens.byId("info")) return closeInfo();
	const answer = tv.memory.mine("answer");
	const { root } = tv.memory.mine("trust") || {};
	const lease = answer && claimsOf(answer.lease);
	const facts = [
		["info_serial", serial],
		["info_node", `${tv.aud || "–"} (${location.host})`],
		["info_key", await tv.keys.thumbprint()],
		["info_root", root ? root.kid : words().info_no_root],
		["info_lease", lease && new Date(lease.exp * 1000).toLocaleString(words().locale)],
	];
	return screens.showInfo(facts, forget, closeInfo);
}

function closeInfo() {
	screens.byId("info")?.remove();
	screens.redraw();
}

function forget() {
	forgetCode();
	streams.stop();
	tv.forgetOperator();
	screens.showWaiting("starting");
	ask();
}

listen((action, key) => {
	if (action === "language") return changeLanguage();
	if (!isOn) return false;
	if (action === "info") return Boolean(info());
	if (screens.byId("info")) return action === "back" ? !closeInfo() : false;
	return playing.isShown && playing.act(action, key);
});

screens.byId("language").onclick = changeLanguage;
speak(query.get("lang") || localStorage.getItem("tv-language") || navigator.language);
screens.byId("serial").textContent = serial && say("serial", serial);
screens.useClock(() => tv.now());
if (!/^[A-Z0-9-]{6,32}$/.test(serial)) {
	screens.showMessage("refused", { icon: "key", title: "no_serial_title", text: "no_serial" });
} else if (!crypto.subtle) {
	screens.showMessage("refused", { icon: "key", title: "insecure_title", text: "insecure" });
} else if (query.get("on")) {
	switchOn();
} else {
	screens.showOff(switchOn);
}
screens.tick();
