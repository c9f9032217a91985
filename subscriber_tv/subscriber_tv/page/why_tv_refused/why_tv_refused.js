// For an agent on the telephone: type a serial number, read why the TV is refused and what to do.

(() => {
	const WHY = "subscriber_tv.api.fleet.why_refused";
	const escape = (text) => frappe.utils.escape_html(String(text ?? ""));
	const MARKS = { ok: ["green", "✓"], failed: ["red", "✗"], unclear: ["orange", "?"], skipped: ["gray", "–"] };

	// Where the credential stands; the other states are gray.
	const STATES = {
		Active: "green",
		Pending: "blue",
		Resync: "orange",
		Rotating: "green",
		Suspended: "orange",
		Quarantined: "red",
		Revoked: "red",
	};

	frappe.pages["why-tv-refused"].on_page_load = (wrapper) => {
		const page = frappe.ui.make_app_page({
			parent: wrapper,
			title: __("Why Is This TV Refused?"),
			single_column: true,
		});
		frappe.require("/assets/subscriber_tv/css/fleet.css");
		wrapper.serial = page.add_field({
			fieldname: "serial",
			fieldtype: "Data",
			label: __("Serial Number"),
			change: () => go(wrapper.serial.get_value()),
		});
		page.set_primary_action(__("Check the TV"), () => go(wrapper.serial.get_value(), wrapper));
		page.main.append(`<div class="tv-why"></div>`);
	};

	frappe.pages["why-tv-refused"].on_page_show = (wrapper) => {
		const serial = frappe.get_route()[1];
		if (serial && wrapper.serial.get_value() !== serial) wrapper.serial.set_input(serial);
		if (serial) show(wrapper, serial);
		else
			wrapper.page.main
				.find(".tv-why")
				.html(`<p class="text-muted">${__("Type the serial number on the back of the TV, or on its screen.")}</p>`);
	};

	function go(serial, again) {
		serial = (serial || "").trim().toUpperCase();
		if (!serial) return;
		if (again && frappe.get_route()[1] === serial) show(again, serial);
		else frappe.set_route("why-tv-refused", serial);
	}

	async function show(wrapper, serial) {
		const found = await frappe.xcall(WHY, { serial });
		if (frappe.get_route()[1] !== serial) return;
		wrapper.page.main
			.find(".tv-why")
			.html(`${head_html(found)}${verdict_html(found.verdict)}${checks_html(found.checks)}`);
	}

	function head_html(found) {
		const records = [
			["TV Device", found.device],
			["TV Subscription", found.subscription],
			["TV Site", found.site],
			["Customer", found.customer],
		].filter(([, name]) => name);
		const state = found.state ? ` <span class="indicator-pill ${STATES[found.state] || "gray"}">${escape(found.state_label)}</span>` : "";
		return `<h4>${escape(found.serial)}${state}</h4><p class="text-muted">${records
			.map(([doctype, name]) => `${__(doctype)}: ${link(doctype, name, name)}`)
			.join(" · ")}</p>`;
	}

	function verdict_html(verdict) {
		const [color] = MARKS[verdict.outcome];
		const links = verdict.links.map(({ label, doctype, name }) => link(doctype, name, label)).join(" · ");
		return `<div class="tv-why-verdict ${color}"><b>${escape(verdict.text)}</b>
			${verdict.next ? `<p>${escape(verdict.next)}</p>` : ""}${links ? `<p>${links}</p>` : ""}</div>`;
	}

	function checks_html(checks) {
		const rows = checks.map((check) => {
			const [color, mark] = MARKS[check.outcome];
			const finding = check.outcome === "skipped" ? __("Not checked any more.") : check.finding;
			return `<tr><td class="tv-why-mark ${color}">${mark}</td><td>${escape(check.question)}</td>
				<td class="${check.outcome === "skipped" ? "text-muted" : ""}">${escape(finding)}</td></tr>`;
		});
		return `<table class="table tv-why-checks"><tbody>${rows.join("")}</tbody></table>`;
	}

	function link(doctype, name, label) {
		const list = `/app/${frappe.router.slug(doctype)}`;
		return `<a href="${name ? `${list}/${encodeURIComponent(name)}` : list}">${escape(label)}</a>`;
	}
})();
