// When the page asks again, and that a power cut neither shortens the wait nor spends a number twice.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Memory } from "./tv/memory.js";
import { afterRefusal, afterSilence, afterStart, urgency } from "./tv/patience.js";
import { Keys } from "./tv/keys.js";
import { modules } from "./tv/qr.js";
import { Drawer, Store, importedMac, network, tv } from "./set.mjs";

const SERIAL = "LG55-000001";
const NOW = 1_800_000_000;
const MAC = "SO3lt_OfFp7JaO25k17qphmzPwO9n5g6w4J3a1P777A";

async function set(storage = new Store(), told = {}) {
	const keys = new Keys(SERIAL, "", new Drawer());
	await keys.drawer.put(`mac-${SERIAL}`, await importedMac(MAC, "2"));
	let drawn = 0;
	return tv({ serial: SERIAL, keys, storage, draw: () => `nonce-${++drawn}`, ...told });
}

const hello = () => [200, JSON.stringify({ aud: "edge-south", time: NOW })];

test("silence is answered by full jitter that doubles up to five minutes", () => {
	assert.deepEqual([0, 1, 2, 3, 4, 5, 50].map((tries) => afterSilence(tries, 1)), [16, 32, 64, 128, 256, 300, 300]);
	assert.equal(afterSilence(3, 0), 0);
	assert.ok(afterStart(0.999) < 30);
});

test("a place in the queue is kept to the millisecond, Retry-After is the least", () => {
	assert.equal(afterRefusal({ retryMs: 12345, retryAfter: 13, tries: 0 }, 0.9), 12.345);
	assert.equal(afterRefusal({ retryAfter: 30, tries: 0 }, 0), 30);
	assert.equal(afterRefusal({ retryAfter: 30, tries: 1 }, 0.5), 46);
	assert.equal(afterRefusal({ retryAfter: NaN, tries: 0 }, 0.5), 8);
});

test("who has no lease says so, and whose lease ends soon", () => {
	assert.equal(urgency(undefined, NOW), "u=0");
	assert.equal(urgency(NOW, NOW), "u=0");
	assert.equal(urgency(NOW + 600, NOW), "u=1");
	assert.equal(urgency(NOW + 601, NOW), "");
});

test("a ticket is shown once, with the urgency, when the TV comes back", async () => {
	const storage = new Store();
	const first = await set(storage);
	const overloaded = { error: "overloaded", retry_ms: 5000, slot: "ticket-1" };
	network({ hello, auth: () => [503, JSON.stringify(overloaded), { "Retry-After": "5" }] });
	const until = first.putOff(await first.powerOn());
	assert.equal(until, NOW + 5);
	// A power cut later it still waits for its turn.
	const second = await set(storage);
	assert.equal(second.putOffUntil(), NOW + 5);
	const asked = network({ hello, auth: () => [503, "{}", { "Retry-After": "30" }] });
	const reply = await second.powerOn();
	assert.equal(asked.at(-1).headers["X-TV-Slot"], "ticket-1");
	assert.equal(asked.at(-1).headers.Priority, "u=0");
	// Refused again, without a ticket: at least Retry-After, and a wider span than the first time.
	assert.equal(second.putOff(reply), NOW + 30 + 16);
	await second.powerOn();
	assert.equal(asked.at(-1).headers["X-TV-Slot"], undefined);
});

test("a refusal on the way to the question counts as well", async () => {
	const one = await set();
	network({ hello: () => [503, "{}", { "Retry-After": "7" }] });
	const error = await one.powerOn().catch((found) => found);
	assert.equal(one.putOff(error.reply), NOW + 7 + 8);
});

test("a lost reply is asked for again with the same number, over a power cut too", async () => {
	const storage = new Store();
	const first = await set(storage);
	const asked = network({
		hello,
		auth: () => {
			throw new TypeError("connection reset");
		},
	});
	await assert.rejects(first.powerOn());
	await assert.rejects((await set(storage)).powerOn());
	const numbers = asked.filter(({ path }) => path.endsWith("auth")).map(({ body }) => JSON.parse(body));
	assert.deepEqual(numbers.map(({ c, n }) => [c, n]), [["1", "nonce-1"], ["1", "nonce-1"]]);
});

test("a proof goes on from the questions that nobody answered", async () => {
	const one = await set();
	network({ hello });
	await assert.rejects(one.powerOn());
	const told = [];
	one.keys.sign = async (_typ, claims) => {
		told.push(claims);
		return "token";
	};
	const refusal = { error: "replayed", base: "7", challenge: "again" };
	network({
		auth: () => [401, "{}"],
		hello,
		challenge: () => [200, JSON.stringify({ challenge: "once" })],
		assert: () => [409, JSON.stringify(refusal)],
	});
	one.memory.question("edge-south", () => "lost", true);
	one.memory.keep("question", null);
	await one.powerOn();
	assert.deepEqual(told.map(({ c, chal }) => [c, chal]), [["4", "once"], ["8", "again"], ["9", "again"]]);
	assert.ok(told.every(({ l, n }) => l.split(".").includes("lost") && !l.includes(n)));
});

test("what was answered is never asked again", async () => {
	const one = await set();
	const asked = network({ hello, auth: () => [400, "{}"] });
	await one.powerOn();
	await one.powerOn();
	const numbers = asked.filter(({ path }) => path.endsWith("auth")).map(({ body }) => JSON.parse(body).c);
	assert.deepEqual(numbers, ["1", "2"]);
});

test("without an answer it lives on its last one until play_until, and not a second longer", async () => {
	let now = NOW;
	const memory = new Memory(SERIAL, new Store(), () => now);
	memory.heard(NOW);
	now = NOW - 86400;
	assert.equal(memory.now(), NOW);
	now = NOW + 50;
	assert.equal(memory.now(), NOW + 50);
	const one = await set(new Store(), { clock: () => now });
	one.memory.keep("answer", { play_until: NOW + 50, lease: "not even looked at" });
	assert.equal(await one.lastAnswer(), null);
	now = NOW + 49;
	await assert.rejects(one.lastAnswer());
});

test("flash that cannot be read is flash that is empty", () => {
	const storage = new Store();
	storage.setItem(`tv-answer-${SERIAL}`, "{broken");
	assert.equal(new Memory(SERIAL, storage).mine("answer"), null);
});

test("a QR code holds the address and its three eyes", () => {
	const rows = modules("https://tv.antenne-bleue.example/app/tv-pairing?code=BCDF-GHJK");
	assert.equal(rows.length, 33);
	const eye = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"];
	const at = (y, x) => eye.map((_, row) => rows[y + row].slice(x, x + 7).map(Number).join(""));
	for (const [y, x] of [[0, 0], [0, 26], [26, 0]]) assert.deepEqual(at(y, x), eye);
});
