// When a TV asks again: plain rules over plain values. Times are seconds; `draw` is a random number in [0, 1).

// Without an answer: a random moment within a span that doubles, so that a city does not knock in step.
const FIRST = 16;
const LONGEST = 300;
// A TV that may still play asks within this of its start.
const START = 30;
// A lease that ends so soon is urgent.
const ENDING = 600;

export const afterStart = (draw) => draw * START;

export function afterSilence(tries, draw) {
	return draw * Math.min(LONGEST, FIRST * 2 ** Math.min(tries, 10));
}

// After 429 and 503. `retry_ms` is a place in a queue, exact to the millisecond; Retry-After is the least there is to wait.
export function afterRefusal({ retryAfter, retryMs, tries }, draw) {
	if (retryMs > 0) return retryMs / 1000;
	const least = retryAfter > 0 ? retryAfter : 0;
	return least + afterSilence(tries, draw);
}

// What the header Priority says (RFC 9218); nothing for a TV whose lease lasts.
export function urgency(playUntil, now) {
	const left = (playUntil || 0) - now;
	if (left <= 0) return "u=0";
	return left <= ENDING ? "u=1" : "";
}
