// An address as a QR code: one SVG path, dark on light with the quiet zone that readers want.

import { qrcode } from "./vendor/qrcode.js";

const SPACE = "http://www.w3.org/2000/svg";
const QUIET = 4;

// Rows of booleans, dark is true.
export function modules(text) {
	const code = qrcode(0, "M");
	code.addData(text, "Byte");
	code.make();
	const side = [...Array(code.getModuleCount()).keys()];
	return side.map((row) => side.map((column) => code.isDark(row, column)));
}

export function drawQr(text, label) {
	const rows = modules(text);
	const size = rows.length + 2 * QUIET;
	const svg = document.createElementNS(SPACE, "svg");
	const dark = document.createElementNS(SPACE, "path");
	const squares = rows.flatMap((row, y) =>
		row.flatMap((isDark, x) => (isDark ? [`M${x + QUIET} ${y + QUIET}h1v1h-1z`] : []))
	);
	dark.setAttribute("d", squares.join(""));
	svg.setAttribute("viewBox", `0 0 ${size} ${size}`);
	svg.setAttribute("shape-rendering", "crispEdges");
	svg.setAttribute("role", "img");
	svg.setAttribute("aria-label", label);
	svg.classList.add("qr");
	svg.append(dark);
	return svg;
}
