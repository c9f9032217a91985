// Whom the page believes: the root that it learnt when it was paired, or the first keys that it was given, and nobody else.

import assert from "node:assert/strict";
import { test } from "node:test";

import { encode, utf8 } from "./tv/keys.js";
import { Memory } from "./tv/memory.js";
import { NotGenuine, Trust, readJson } from "./tv/trust.js";
import { Store } from "./set.mjs";

const NOW = 1_800_000_000;
const KEY = { name: "ECDSA", namedCurve: "P-256" };

async function signer(kid) {
	const pair = await crypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
	const { x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
	const jwk = { kty: "EC", crv: "P-256", x, y, kid };
	const sign = async (typ, claims, header = { alg: "ES256", typ, kid }) => {
		const signed = [header, claims].map((part) => encode(utf8(JSON.stringify(part)))).join(".");
		const bytes = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, utf8(signed));
		return `${signed}.${encode(new Uint8Array(bytes))}`;
	};
	return { jwk, sign };
}

async function keySet(root, keys, { iat = NOW, exp = NOW + 86400, shown = keys } = {}) {
	const jwks = keys.map(({ jwk }) => jwk);
	const signed = await root.sign("tv-jwks+jwt", { iat, exp, keys: jwks });
	return { keys: shown.map(({ jwk }) => jwk), signed, root: root.jwk };
}

// A TV whose operator publishes what stands in `published.set`.
function trusting(published, storage = new Store()) {
	const memory = new Memory("LG55-000001", storage, () => published.now || NOW);
	const fetchKeys = async () => {
		if (!published.set) throw new TypeError("nobody answers");
		return published.set;
	};
	return { memory, storage, trust: new Trust(memory, fetchKeys) };
}

const refuses = (trust, token) => assert.rejects(trust.verify("tv-lease+jwt", token), NotGenuine);

test("a new key comes in by the root alone", async () => {
	const [root, first, second, stranger] = await Promise.all(["root", "one", "two", "root"].map(signer));
	const published = { set: await keySet(root, [first]) };
	const { trust } = trusting(published);
	const [old, fresh] = await Promise.all([first, second].map(({ sign }) => sign("tv-lease+jwt", { sub: "x" })));
	assert.deepEqual(readJson(await trust.verify("tv-lease+jwt", old)), { sub: "x" });
	await refuses(trust, fresh);
	// Another root that bears the same name, and keys that stand beside the signature but not in it.
	published.set = await keySet(stranger, [second]);
	await refuses(trust, fresh);
	published.set = await keySet(root, [first], { shown: [second] });
	await refuses(trust, fresh);
	published.set = await keySet(root, [second]);
	assert.ok(await trust.verify("tv-lease+jwt", fresh));
	await refuses(trust, old);
});

test("the root is kept over a power cut and without a network", async () => {
	const [root, first, stranger] = await Promise.all(["root", "one", "one"].map(signer));
	const published = { set: await keySet(root, [first]) };
	const { trust, storage } = trusting(published);
	const lease = await first.sign("tv-lease+jwt", { sub: "x" });
	await trust.verify("tv-lease+jwt", lease);
	published.set = null;
	assert.ok(await trusting(published, storage).trust.verify("tv-lease+jwt", lease));
	// Whoever answers now with a root of his own is not believed.
	published.set = await keySet(stranger, [stranger]);
	await refuses(trusting(published, storage).trust, await stranger.sign("tv-lease+jwt", { sub: "x" }));
	// Unless the TV is paired anew.
	const again = trusting(published, storage);
	again.memory.forgetOperator();
	assert.ok(await again.trust.verify("tv-lease+jwt", await stranger.sign("tv-lease+jwt", { sub: "x" })));
});

test("a root's signature counts in its time only", async () => {
	const [root, first] = await Promise.all(["root", "one"].map(signer));
	const lease = await first.sign("tv-lease+jwt", { sub: "x" });
	for (const times of [{ exp: NOW }, { iat: NOW + 301, exp: NOW + 999 }]) {
		await refuses(trusting({ set: await keySet(root, [first], times) }).trust, lease);
	}
	const published = { set: await keySet(root, [first], { iat: NOW + 299, exp: NOW + 999 }) };
	const { trust, memory, storage } = trusting(published);
	assert.ok(await trust.verify("tv-lease+jwt", lease));
	// Turning the clock back does not lengthen it: time never falls below the last authentic one.
	memory.heard(NOW + 1000);
	published.now = NOW - 5000;
	await refuses(trusting(published, storage).trust, lease);
});

test("without a root the first keys stay", async () => {
	const [first, second] = await Promise.all(["one", "two"].map(signer));
	const published = { set: { keys: [first.jwk] } };
	const { trust } = trusting(published);
	assert.ok(await trust.verify("tv-lease+jwt", await first.sign("tv-lease+jwt", {})));
	published.set = { keys: [first.jwk, second.jwk] };
	await refuses(trust, await second.sign("tv-lease+jwt", {}));
	assert.ok(await trust.verify("tv-lease+jwt", await first.sign("tv-lease+jwt", {})));
});

test("a token chooses neither algorithm nor key nor use", async () => {
	const [first, stranger] = await Promise.all(["one", "one"].map(signer));
	const { trust } = trusting({ set: { keys: [first.jwk] } });
	const good = await first.sign("tv-lease+jwt", { sub: "x" });
	const [header, claims, signature] = good.split(".");
	const spelled = (fields) => encode(utf8(JSON.stringify(fields)));
	const attempts = [
		await stranger.sign("tv-lease+jwt", { sub: "x" }),
		await first.sign("tv-deny+jwt", { sub: "x" }),
		await first.sign("tv-lease+jwt", {}, { alg: "ES256", typ: "tv-lease+jwt", kid: "one", crit: ["b64"] }),
		await first.sign("tv-lease+jwt", {}, { typ: "tv-lease+jwt", alg: "ES256", kid: "one" }),
		await first.sign("tv-lease+jwt", {}, { alg: "ES256", typ: "tv-lease+jwt", kid: "one", jwk: stranger.jwk }),
		`${spelled({ alg: "none", typ: "tv-lease+jwt", kid: "one" })}.${claims}.`,
		`${spelled({ alg: "HS256", typ: "tv-lease+jwt", kid: "one" })}.${claims}.${signature}`,
		`${header}.${claims}.${encode(new Uint8Array(64))}`,
		`${header}.${claims}.${signature}=`,
		`${header}.${claims}.${signature}.x`,
		`${header}.${claims}`,
		"",
		null,
	];
	for (const token of attempts) await refuses(trust, token);
	assert.ok(await trust.verify("tv-lease+jwt", good));
});
