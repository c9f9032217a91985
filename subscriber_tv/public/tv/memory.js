// What a TV remembers over a power cut beside its keys: counts, its last answer, the time, and when it may ask again.

// How many of its last questions at a node a TV tells by their nonces when it proves itself.
const TOLD = 4;

const digits = (text) => /^\d{1,15}$/.test(text);

export class Memory {
	// `storage` is like localStorage; `clock` gives the set's own seconds, right or wrong.
	constructor(serial, storage, clock = () => Date.now() / 1000) {
		this.serial = serial;
		this.storage = storage;
		this.clock = clock;
		// What an answer under the MAC says of the time, until what it brings has been verified too.
		this.told = 0;
	}

	read(name) {
		try {
			return JSON.parse(this.storage.getItem(`tv-${name}`));
		} catch {
			// Flash that cannot be read is flash that is empty.
			return null;
		}
	}

	// null forgets.
	write(name, value) {
		if (value === null) this.storage.removeItem(`tv-${name}`);
		else this.storage.setItem(`tv-${name}`, JSON.stringify(value));
	}

	mine(name) {
		return this.read(`${name}-${this.serial}`);
	}

	keep(name, value) {
		this.write(`${name}-${this.serial}`, value);
	}

	// The time as far as a TV may believe it (epoch seconds): its clock set right by the last authentic answer, and never
	// before that.
	now() {
		const { floor, offset } = this.mine("time") || { floor: 0, offset: 0 };
		return Math.max(floor, this.told || this.clock() + offset);
	}

	heard(time) {
		this.told = 0;
		const floor = Math.max(time, this.mine("time")?.floor || 0);
		this.keep("time", { floor, offset: time - this.clock() });
	}

	// The next number at a node, with its nonce; kept before they are used. What got no answer is asked again as it was: if
	// only the reply was lost, the node gives it again. `isFresh`: not so, as a proof is another question.
	question(aud, nonce, isFresh = false) {
		const unanswered = this.mine("question");
		if (unanswered?.aud === aud && !isFresh) return unanswered;
		const last = this.read(`count-${this.serial}-${aud}`);
		const c = String((digits(last) ? Number(last) : 0) + 1);
		this.write(`count-${this.serial}-${aud}`, Number(c));
		const asked = { aud, c, n: nonce() };
		this.keep("question", asked);
		const line = [asked.n, ...this.line(aud)];
		// However often it asks in vain, the last answered question stays known.
		this.keepLine(aud, line.length > TOLD ? [...line.slice(0, TOLD - 1), line.at(-1)] : line);
		return asked;
	}

	// At a node the nonces of the last answered question and of those since, newest first: by them a TV that proves itself is
	// told from its copy.
	line(aud) {
		return this.read(`line-${this.serial}-${aud}`) || [];
	}

	keepLine(aud, line) {
		this.write(`line-${this.serial}-${aud}`, line);
	}

	// An answer came: the node counted that question, or it did not.
	settle(aud, n, wasCounted) {
		this.keep("question", null);
		this.keepLine(aud, wasCounted ? [n] : this.line(aud).filter((known) => known !== n));
	}

	// Go on above what the node has seen.
	countFrom(aud, base) {
		const name = `count-${this.serial}-${aud}`;
		const known = Number(this.read(name) || 0);
		this.write(name, Math.max(known, digits(base) ? Number(base) : 0));
	}

	// Pairing begins anew: what was known of an operator's rights and keys is over. Counts go on.
	forgetOperator() {
		for (const name of ["answer", "retry", "pairing", "trust", "rotate"]) this.keep(name, null);
	}
}
