// What a TV keeps secret. Its own key and its MAC key never leave the browser: scripts may use them, none can read them.

const ECDSA = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };
const HMAC = { name: "HMAC", hash: "SHA-256" };

export function encode(bytes) {
	const text = btoa(String.fromCharCode(...bytes));
	return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export function decode(text) {
	const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
	return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

export const utf8 = (text) => new TextEncoder().encode(text);
export const digest = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
export const nonce = () => encode(crypto.getRandomValues(new Uint8Array(16)));

// A drawer of IndexedDB, which keeps keys as keys: what is not extractable stays so.
class Drawer {
	async open() {
		this.database ||= await new Promise((done, failed) => {
			const opening = indexedDB.open("tv", 1);
			opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
			opening.onsuccess = () => done(opening.result);
			opening.onerror = () => failed(opening.error);
		});
		return this.database;
	}

	async run(mode, act) {
		const transaction = (await this.open()).transaction("keys", mode);
		const request = act(transaction.objectStore("keys"));
		return new Promise((done, failed) => {
			transaction.oncomplete = () => done(request.result);
			transaction.onerror = () => failed(transaction.error);
		});
	}

	get(name) {
		return this.run("readonly", (store) => store.get(name));
	}

	put(name, value) {
		return this.run("readwrite", (store) => store.put(value, name));
	}
}

export class Keys {
	// `secret`: what a model without a key store has instead of a key of its own; "" for one with.
	constructor(serial, secret, drawer = new Drawer()) {
		this.serial = serial;
		this.secret = secret;
		this.drawer = drawer;
	}

	// The TV's own key: made here once. Its point is public, as JWK coordinates.
	async own() {
		const name = `own-${this.serial}`;
		let pair = await this.drawer.get(name);
		if (!pair) {
			pair = await crypto.subtle.generateKey(ECDSA, false, ["sign", "verify"]);
			await this.drawer.put(name, pair);
		}
		const { x, y } = await crypto.subtle.exportKey("jwk", pair.publicKey);
		return { privateKey: pair.privateKey, x, y };
	}

	// By what the TV's key is known (RFC 7638), or the hash of its secret.
	async thumbprint() {
		if (this.secret) return encode(await digest(decode(this.secret)));
		const { x, y } = await this.own();
		return encode(await digest(utf8(JSON.stringify({ crv: "P-256", kty: "EC", x, y }))));
	}

	// A token for one use: the header is spelled in one way, as whoever reads it compares it.
	async sign(typ, claims) {
		const header = { alg: "ES256", typ, kid: await this.thumbprint() };
		const signed = [header, claims].map((part) => encode(utf8(JSON.stringify(part)))).join(".");
		const signature = await crypto.subtle.sign(SIGNING, (await this.own()).privateKey, utf8(signed));
		return `${signed}.${encode(new Uint8Array(signature))}`;
	}

	// The key of the days to come, with its epoch; null before there is one.
	mac() {
		return this.drawer.get(`mac-${this.serial}`);
	}

	async keepMac(key, epoch) {
		const kept = { key: await macKey(key), epoch };
		await this.drawer.put(`mac-${this.serial}`, kept);
		return kept;
	}
}

export function macKey(text) {
	return crypto.subtle.importKey("raw", decode(text), HMAC, false, ["sign", "verify"]);
}

export async function macOf(key, text) {
	return encode(new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8(text))));
}

// Whether a reply's body stands under this key.
export async function isUnder(key, mac, body) {
	const signed = new Uint8Array([...utf8("tv-reply-1\n"), ...body]);
	return /^[\w-]{43}$/.test(mac || "") && crypto.subtle.verify("HMAC", key, decode(mac), signed);
}

// What a PIN opens a locked channel with. Kept in memory while the channel is on, and nowhere else.
export async function pinVerifier(serial, pin) {
	const typed = await crypto.subtle.importKey("raw", utf8(pin), "PBKDF2", false, ["deriveBits"]);
	const salt = utf8(`tv-pin-1\n${serial}`);
	const bits = await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: 10000 }, typed, 256);
	return crypto.subtle.importKey("raw", bits, HMAC, false, ["sign"]);
}
