// The fleet at a glance. The server keeps the figures; the page asks for one grouping at a time and goes deeper by clicks.

(() => {
	const BOARD = "subscriber_tv.api.fleet.board";
	const REFRESH = 30000; // milliseconds
	const escape = (text) => frappe.utils.escape_html(String(text ?? ""));
	const PATH = ["segment", "territory", "site"];

	const labels = () => ({
		segment: __("Segment"),
		territory: __("Sector"),
		site: __("Site"),
		firmware: __("Firmware"),
		company: __("Company"),
	});

	frappe.pages["tv-fleet-board"].on_page_load = (wrapper) => {
		const page = frappe.ui.make_app_page({ parent: wrapper, title: __("TV Fleet Board"), single_column: true });
		frappe.require("/assets/subscriber_tv/css/fleet.css");
		const state = { page, group: "segment", filters: {} };
		wrapper.state = state;
		Object.entries(labels()).forEach(([group, label]) =>
			page.add_inner_button(label, () => show(state, group), __("Group by"))
		);
		page.add_inner_button(__("Why Is This TV Refused?"), () => frappe.set_route("why-tv-refused"));
		page.set_primary_action(__("Refresh"), () => show(state, state.group));
		page.main.on("click", "[data-group]", (event) => go_deeper(state, $(event.currentTarget)));
		page.main.on("click", "[data-back]", (event) => go_back(state, $(event.currentTarget).data("back")));
	};

	frappe.pages["tv-fleet-board"].on_page_show = (wrapper) => {
		const state = wrapper.state;
		show(state, state.group);
		clearInterval(state.timer);
		state.timer = setInterval(() => {
			if (!$(wrapper).is(":visible")) clearInterval(state.timer);
			else if (!document.hidden) show(state, state.group);
		}, REFRESH);
	};

	async function show(state, group) {
		state.group = group;
		const asked = JSON.stringify([group, state.filters]);
		const board = await frappe.xcall(BOARD, { group, filters: state.filters });
		if (asked !== JSON.stringify([state.group, state.filters])) return; // somebody clicked on while we waited
		state.page.main.html(
			`<div class="tv-fleet">${trail_html(state)}${totals_html(board, state)}${table_html(board, state)}${alarms_html(
				board.alarms
			)}</div>`
		);
	}

	function go_deeper(state, row) {
		const [group, key] = [row.data("group"), String(row.data("key"))];
		if (group === "site" || group === "firmware") return open_list({ ...state.filters, [group]: key });
		state.filters = { ...state.filters, [group]: key };
		show(state, PATH.find((next) => !(next in state.filters)) || "site");
	}

	function go_back(state, group) {
		const kept = Object.entries(state.filters);
		const until = group === "all" ? 0 : kept.findIndex(([name]) => name === group) + 1;
		state.filters = Object.fromEntries(kept.slice(0, until));
		show(state, PATH.find((next) => !(next in state.filters)) || "site");
	}

	function open_list(filters, more = {}) {
		const found = { in_service: 1, ...more };
		Object.entries(filters).forEach(([field, value]) => (found[field] = value || ["is", "not set"]));
		frappe.set_route("List", "TV Device Status", found);
	}

	function trail_html(state) {
		const steps = Object.entries(state.filters).map(
			([group, value]) =>
				`<a data-back="${escape(group)}">${escape(labels()[group])}: ${escape(value || __("None"))}</a>`
		);
		return `<div class="tv-fleet-trail"><a data-back="all">${__("All TVs")}</a>${steps
			.map((step) => ` › ${step}`)
			.join("")}</div>`;
	}

	function totals_html({ totals, as_of }) {
		const share = totals.tvs ? Math.round((1000 * totals.online) / totals.tvs) / 10 : 0;
		const cards = [
			[__("TVs in Service"), format_number(totals.tvs, null, 0), ""],
			[__("Online"), `${format_number(totals.online, null, 0)} <small>${share} %</small>`, "green"],
			[__("Offline"), format_number(totals.tvs - totals.online, null, 0), "gray"],
			[__("With Alarms"), format_number(totals.alarms, null, 0), totals.alarms ? "orange" : ""],
			[__("Suspected Copies"), format_number(totals.suspected, null, 0), totals.suspected ? "red" : ""],
		];
		const when = as_of
			? __("Last change counted {0}", [frappe.datetime.prettyDate(as_of)])
			: __("Nothing has been counted yet.");
		return `<div class="tv-fleet-cards">${cards
			.map(
				([label, value, color]) =>
					`<div class="tv-fleet-card"><div class="tv-fleet-label">${label}</div><div class="tv-fleet-value ${color}">${value}</div></div>`
			)
			.join("")}</div><p class="text-muted small">${when}</p>`;
	}

	function table_html(board, state) {
		if (!board.rows.length) return `<p>${__("No TV in service here.")}</p>`;
		const heads = [__("TVs"), __("Online"), "", __("With Alarms"), __("Suspected Copies")];
		const more = board.more ? `<p class="text-muted">${__("The 100 largest are shown.")}</p>` : "";
		return `<table class="table tv-fleet-table"><thead><tr><th>${escape(labels()[state.group])}</th>${heads
			.map((head) => `<th class="text-right">${head}</th>`)
			.join("")}</tr></thead><tbody>${board.rows.map((row) => row_html(board.group, row)).join("")}</tbody></table>${more}`;
	}

	function row_html(group, row) {
		const share = row.tvs ? Math.round((100 * row.online) / row.tvs) : 0;
		return `<tr data-group="${group}" data-key="${escape(row.key)}" tabindex="0">
			<td><a>${escape(row.title || __("None"))}</a></td>
			<td class="text-right">${format_number(row.tvs, null, 0)}</td>
			<td class="text-right">${format_number(row.online, null, 0)}</td>
			<td class="tv-fleet-share"><div title="${share} %"><i style="width:${share}%"></i></div></td>
			<td class="text-right">${row.alarms || ""}</td>
			<td class="text-right">${row.suspected || ""}</td>
		</tr>`;
	}

	function alarms_html(alarms) {
		if (!alarms.length) return "";
		const rows = alarms.map(
			(alarm) => `<tr>
				<td>${frappe.datetime.prettyDate(alarm.opened_on)}</td>
				<td>${escape(alarm.rule || __(alarm.kind))}</td>
				<td>${link("TV Device", alarm.device) || link("TV Site", alarm.site)}</td>
				<td>${link("Issue", alarm.issue)}</td></tr>`
		);
		return `<h5>${__("Open Alarms")}</h5><table class="table"><tbody>${rows.join("")}</tbody></table>
			<a href="/app/tv-alarm?state=Open">${__("All open alarms")}</a>`;
	}

	function link(doctype, name) {
		return name
			? `<a href="/app/${frappe.router.slug(doctype)}/${encodeURIComponent(name)}">${escape(name)}</a>`
			: "";
	}
})();
