// The remote control: what its keys mean on browsers of TVs and on a keyboard, and where the focus goes.

const BY_KEY = {
	ArrowUp: "up",
	ArrowDown: "down",
	ArrowLeft: "left",
	ArrowRight: "right",
	Enter: "ok",
	Backspace: "back",
	Escape: "back",
	BrowserBack: "back",
	GoBack: "back",
	PageUp: "next",
	ChannelUp: "next",
	PageDown: "previous",
	ChannelDown: "previous",
	ColorF1Green: "language",
	ColorF3Blue: "info",
	Info: "info",
	l: "language",
	L: "language",
	i: "info",
	I: "info",
};
// Back, as webOS and Tizen number it.
const BY_CODE = { 461: "back", 10009: "back" };
const WAYS = { up: [0, -1], down: [0, 1], left: [-1, 0], right: [1, 0] };

// `act(action, digit)` answers whether it took the key; arrows nobody took move the focus.
export function listen(act) {
	addEventListener("keydown", (event) => {
		if (event.ctrlKey || event.altKey || event.metaKey) return;
		const action = /^\d$/.test(event.key) ? "digit" : BY_KEY[event.key] || BY_CODE[event.keyCode];
		if (!action) return;
		if (act(action, event.key) || move(WAYS[action])) event.preventDefault();
	});
}

// To the nearest button in that direction: distance counts once along the way and twice aside.
function move(way) {
	if (!way) return false;
	const buttons = [...document.querySelectorAll("button")].filter((button) => button.offsetParent);
	const here = document.activeElement?.matches?.("button") ? document.activeElement : null;
	if (!here) return focus(buttons[0]);
	const from = middle(here);
	const reach = buttons
		.filter((button) => button !== here)
		.map((button) => ({ button, ...away(from, middle(button), way) }))
		.filter(({ along }) => along > 4)
		.sort((one, other) => one.along + 2 * one.aside - other.along - 2 * other.aside);
	return focus(reach[0]?.button) || true;
}

function middle(node) {
	const { left, top, width, height } = node.getBoundingClientRect();
	return [left + width / 2, top + height / 2];
}

function away([x, y], [toX, toY], [right, down]) {
	const [dx, dy] = [toX - x, toY - y];
	return { along: dx * right + dy * down, aside: Math.abs(dx * down) + Math.abs(dy * right) };
}

function focus(button) {
	button?.focus();
	return Boolean(button);
}
