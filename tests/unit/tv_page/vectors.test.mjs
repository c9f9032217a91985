// The page asks in the very bytes of fixtures/protocol/vectors.json, and does with the answers what the protocol says.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Keys, decode, encode, isUnder, macKey, pinVerifier } from "./tv/keys.js";
import { NotGenuine, readJson } from "./tv/trust.js";
import { Drawer, importedMac, network, privateKey, tv } from "./set.mjs";

const vectors = JSON.parse(readFileSync(process.env.VECTORS, "utf8"));
const { tv: known, small_tv: small, operator, root } = vectors.keys;
const [chip, card, model, firmware] = vectors.derived.binding.parts;
const nonceIn = (body) => JSON.parse(body).n;
const caseOf = (name) => vectors.cases.find((one) => one.name === name);
const hello = () => [200, JSON.stringify({ aud: vectors.audience, time: vectors.now })];
const jwks = () => [200, JSON.stringify({ ...operator.jwks, signed: vectors.signed_keys, root: root.jwk })];

async function knownKeys(epoch) {
	const keys = new Keys(known.serial, "", new Drawer());
	const publicKey = await crypto.subtle.importKey(
		"jwk",
		{ kty: "EC", crv: "P-256", x: known.jwk.x, y: known.jwk.y },
		{ name: "ECDSA", namedCurve: "P-256" },
		true,
		["verify"]
	);
	const pair = { privateKey: await privateKey(known.private_number, known.jwk), publicKey };
	await keys.drawer.put(`own-${known.serial}`, pair);
	if (epoch) await keys.drawer.put(`mac-${known.serial}`, await importedMac(vectors.derived.K_mac[epoch], epoch));
	return keys;
}

async function knownTv(name, told = {}) {
	const { request } = caseOf(name);
	const asked = JSON.parse(request.body);
	const set = tv({
		serial: known.serial,
		keys: await knownKeys(asked.e),
		parts: { chip, card, model, firmware },
		draw: () => nonceIn(request.body) || "AAECAwQFBgcICQoLDA0ODw",
		tellsTime: Boolean(asked.t),
		...told,
	});
	if (asked.c) set.memory.write(`count-${known.serial}-${vectors.audience}`, Number(asked.c) - 1);
	return set;
}

const given = (name) => () => {
	const { status, body, headers } = caseOf(name).reply;
	return [status, body, headers];
};

test("a TV is known by the thumbprint of its key", async () => {
	assert.equal(await (await knownKeys()).thumbprint(), known.jkt);
	assert.equal(await new Keys(small.serial, small.credential, new Drawer()).thumbprint(), small.jkt);
});

test("its parts have the hash of the vectors", async () => {
	assert.equal(await (await knownTv("auth: allowed")).f(), vectors.derived.binding.f);
});

test("the daily question is the vectors' bytes", async () => {
	for (const name of ["auth: allowed", "auth: allowed, clock wrong", "auth: allowed, epoch before"]) {
		const clock = name.includes("clock") ? () => 1_700_000_000 : undefined;
		const set = await knownTv(name, { clock });
		const asked = network({ hello, jwks, auth: given(name) });
		const reply = await set.powerOn();
		assert.equal(asked.find(({ path }) => path.endsWith("auth")).body, caseOf(name).request.body, name);
		assert.equal(reply.status, 200);
		assert.equal((await set.lastAnswer()).play_until, reply.document.play_until);
	}
});

test("an answer sets the clock right", async () => {
	const set = await knownTv("auth: allowed, clock wrong", { clock: () => 1_700_000_000 });
	network({ hello, jwks, auth: given("auth: allowed, clock wrong") });
	await set.powerOn();
	assert.equal(set.now(), vectors.now);
});

test("the hint to rotate is taken: the next question goes the slow way", async () => {
	const set = await knownTv("auth: allowed, epoch before");
	const asked = network({ hello, jwks, auth: given("auth: allowed, epoch before") });
	await set.powerOn();
	network({});
	await assert.rejects(set.powerOn());
	const again = network({ challenge: given("challenge") });
	await assert.rejects(set.powerOn());
	assert.deepEqual(again.map(({ path }) => path), ["/v1/challenge", "/v1/assert"]);
	assert.ok(asked.every(({ path }) => path !== "/v1/assert"));
});

test("a signed denial is believed, and ends the right to play", async () => {
	const set = await knownTv("auth: suspended");
	set.memory.keep("answer", { play_until: vectors.now + 1000, lease: "" });
	network({ hello, jwks, auth: given("auth: suspended") });
	const reply = await set.powerOn();
	assert.deepEqual([reply.status, reply.claims.code], [403, "suspended"]);
	assert.ok(reply.claims.text.fr && reply.claims.text.en);
	assert.equal(await set.lastAnswer(), null);
});

test("a TV whose parts changed hears it by the MAC alone", async () => {
	const set = await knownTv("auth: parts changed");
	network({ hello, jwks, auth: given("auth: parts changed") });
	assert.equal((await set.powerOn()).claims.code, "binding_mismatch");
});

test("an answer under no MAC, another's nonce or a changed body is none", async () => {
	const { body, headers } = caseOf("auth: allowed").reply;
	const other = caseOf("auth: suspended").reply;
	const forged = [
		[200, body, {}],
		[200, body, { ...headers, "X-TV-MAC": other.headers["X-TV-MAC"] }],
		[200, body.replace("1800086400", "1900086400"), headers],
		[403, body.replace("allow", "deny"), headers],
	];
	for (const answer of forged) {
		const set = await knownTv("auth: allowed");
		network({ hello, jwks, auth: () => answer });
		await assert.rejects(set.powerOn(), NotGenuine);
	}
	const set = await knownTv("auth: allowed", { draw: () => "EBESExQVFhcYGRobHB0eHw" });
	network({ hello, jwks, auth: given("auth: allowed") });
	await assert.rejects(set.powerOn(), NotGenuine);
});

test("409 leads to a proof that counts on above the base", async () => {
	const nonces = ["EBESExQVFhcYGRobHB0eHw", "AAECAwQFBgcICQoLDA0ODw"];
	const set = await knownTv("auth: replayed", { draw: () => nonces.shift() });
	const asked = network({ hello, jwks, auth: given("auth: replayed"), assert: given("assert: allowed") });
	await set.powerOn();
	const { a } = JSON.parse(asked.find(({ path }) => path.endsWith("assert")).body);
	const claims = readJson(decode(a.split(".")[1]));
	const { base, challenge } = JSON.parse(caseOf("auth: replayed").reply.body);
	assert.equal(Number(claims.c), Number(base) + 1);
	assert.equal(claims.chal, challenge);
});

test("a proof has the header and the claims of the vectors", async () => {
	for (const name of ["assert: allowed", "assert: allowed, telling its last questions"]) {
		const expected = JSON.parse(caseOf(name).request.body).a.split(".");
		const { n, l } = readJson(decode(expected[1]));
		const set = await knownTv(name, { draw: () => n });
		set.memory.write(`count-${known.serial}-${vectors.audience}`, 499);
		set.memory.keepLine(vectors.audience, l ? l.split(".") : []);
		const asked = network({ hello, jwks, challenge: given("challenge"), assert: given(name) });
		const reply = await set.powerOn();
		const sent = JSON.parse(asked.find(({ path }) => path.endsWith("assert")).body).a.split(".");
		assert.equal(sent[0], expected[0]);
		assert.deepEqual(readJson(decode(sent[1])), readJson(decode(expected[1])));
		assert.equal(decode(sent[2]).length, 64);
		assert.equal(reply.status, 200);
		assert.equal((await set.keys.mac()).epoch, "2");
		assert.deepEqual(set.memory.line(vectors.audience), [n]);
	}
});

test("another TV's lease opens nothing, however genuine", async () => {
	const set = await knownTv("auth: allowed");
	network({ hello, jwks, auth: given("auth: allowed") });
	set.keys.thumbprint = async () => small.jkt;
	await assert.rejects(set.powerOn(), NotGenuine);
	assert.equal(set.memory.mine("answer"), null);
});

test("a TV without a key store proves itself in the vectors' bytes", async () => {
	const name = "assert: TV without a key store";
	const { body } = caseOf(name).request;
	const keys = new Keys(small.serial, small.credential, new Drawer());
	const set = tv({ serial: small.serial, keys, parts: { chip, card, model, firmware }, draw: () => nonceIn(body) });
	const { chal } = JSON.parse(body);
	const challenge = () => [200, JSON.stringify({ challenge: chal })];
	const asked = network({ hello, jwks, challenge, assert: given(name) });
	await set.powerOn().catch(() => null);
	assert.deepEqual(JSON.parse(asked.find(({ path }) => path.endsWith("assert")).body), JSON.parse(body));
});

test("heartbeats and streams are the vectors' bytes", async () => {
	const told = JSON.parse(caseOf("heartbeat").request.body);
	const names = ["up", "temp", "err", "rssi", "fw", "ch"];
	const beat = Object.fromEntries(names.map((name) => [name, told[name]]));
	const set = await knownTv("heartbeat");
	const asked = network({ hello, jwks, heartbeat: given("heartbeat") });
	assert.ok((await set.heartbeat(beat)).isAuthentic);
	assert.equal(asked.at(-1).body, caseOf("heartbeat").request.body);
	for (const [operation, channel] of [["start", "TF1"], ["start", "CANAL"], ["stop", "TF1"]]) {
		const name = `stream: ${operation} ${channel}`;
		const streaming = await knownTv(name);
		const sent = network({ hello, jwks, stream: given(name) });
		const reply = await streaming.stream(operation, channel, "s1");
		assert.ok(reply.isAuthentic);
		assert.equal(sent.at(-1).body, caseOf(name).request.body);
	}
});

test("a PIN opens a locked channel in the vectors' bytes", async () => {
	const { pin } = vectors.derived.pin;
	for (const [name, typed, error] of [["no PIN", "", "parental_locked"], ["right PIN", pin, undefined]]) {
		const set = await knownTv(`stream: locked, ${name}`);
		const asked = network({ hello, jwks, stream: given(`stream: locked, ${name}`) });
		const verifier = typed && (await pinVerifier(known.serial, typed));
		const reply = await set.stream("start", "NIGHT", "s1", verifier || null);
		assert.equal(asked.at(-1).body, caseOf(`stream: locked, ${name}`).request.body);
		assert.ok(reply.isAuthentic);
		assert.equal(reply.document.error, error);
	}
});

test("an enrolment has the header and the claims of the vectors", async () => {
	const expected = JSON.parse(caseOf("enrol").request.body).a.split(".");
	const claims = readJson(decode(expected[1]));
	const set = await knownTv("enrol");
	const challenge = (body) => {
		assert.equal(body.aud, "desk");
		return [200, JSON.stringify({ challenge: claims.chal })];
	};
	const asked = network({ challenge, enrol: given("enrol") });
	const reply = await set.enrol();
	const sent = JSON.parse(asked.at(-1).body).a.split(".");
	assert.equal(sent[0], expected[0]);
	assert.deepEqual(readJson(decode(sent[1])), claims);
	assert.equal(reply.document.user_code, "BCDF-GHJK");
});

test("a poll has the header and the claims of the vectors, and its answer the key", async () => {
	const expected = JSON.parse(caseOf("token: granted").request.body);
	const set = await knownTv("token: granted");
	const asked = network({ token: given("token: granted") });
	const reply = await set.poll(expected.device_code);
	const sent = JSON.parse(asked.at(-1).body);
	assert.equal(sent.grant_type, expected.grant_type);
	assert.equal(sent.a.split(".")[0], expected.a.split(".")[0]);
	assert.deepEqual(readJson(decode(sent.a.split(".")[1])), readJson(decode(expected.a.split(".")[1])));
	assert.equal(reply.status, 200);
	const body = new TextEncoder().encode(caseOf("auth: allowed").reply.body);
	assert.ok(await isUnder((await set.keys.mac()).key, caseOf("auth: allowed").reply.headers["X-TV-MAC"], body));
});

test("every answer of the vectors under a MAC stands under the TV's key", async () => {
	let checked = 0;
	for (const { name, request, reply } of vectors.cases) {
		const mac = reply.headers["X-TV-MAC"];
		if (!mac) continue;
		const isSmall = name.includes("without a key store");
		const epoch = JSON.parse(request.body).e || "2";
		const key = await macKey(isSmall ? vectors.derived.K_mac_small_tv : vectors.derived.K_mac[epoch]);
		const body = new TextEncoder().encode(reply.body);
		assert.ok(await isUnder(key, mac, body), name);
		assert.ok(!(await isUnder(key, mac, new Uint8Array([...body, 32]))), name);
		checked++;
	}
	assert.ok(checked >= 14);
	assert.equal(encode(decode("AAECAwQFBgcICQoLDA0ODw")), "AAECAwQFBgcICQoLDA0ODw");
});
