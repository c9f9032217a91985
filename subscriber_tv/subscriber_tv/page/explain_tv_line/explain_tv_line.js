// Why an invoice row costs what it costs. The server works everything out and words it; the page only lays it out.

(() => {
	const EXPLAIN = "subscriber_tv.api.explain";
	const escape = (text) => frappe.utils.escape_html(String(text ?? ""));

	frappe.pages["explain-tv-line"].on_page_load = (wrapper) => {
		const page = frappe.ui.make_app_page({ parent: wrapper, title: __("Explain This Line"), single_column: true });
		page.main.addClass("frappe-card").css("padding", "var(--padding-lg)");
		frappe.require("/assets/subscriber_tv/css/explain_tv_line.css");
	};

	frappe.pages["explain-tv-line"].on_page_show = async (wrapper) => {
		const page = wrapper.page;
		const [, of, name] = frappe.get_route();
		page.clear_actions();
		page.clear_inner_toolbar();
		page.main.empty();
		if (of === "row") await show_row(page, name);
		else if (["invoice", "subscription"].includes(of)) await show_rows(page, of, name);
		else page.main.html(`<p>${__("Open this page from an invoice or a subscription.")}</p>`);
	};

	async function show_rows(page, of, name) {
		page.set_title(__("Lines of {0}", [name]));
		const rows = await frappe.xcall(`${EXPLAIN}.rows`, { [of]: name });
		page.main.html(
			rows.length
				? `<p class="text-muted">${__("Choose a line to see how its amount is worked out.")}</p>${rows_html(rows)}`
				: `<p>${__("No bill has made a line here.")}</p>`
		);
	}

	function rows_html(rows) {
		const labels = [__("Invoice"), __("Date"), __("Line"), __("Days")];
		return `<table class="table tv-explain-rows">
			<thead><tr>${labels.map((label) => `<th>${label}</th>`).join("")}
				<th class="text-right">${__("Amount (excl. VAT)")}</th></tr></thead>
			<tbody>${rows.map(row_html).join("")}</tbody>
		</table>`;
	}

	function row_html(row) {
		const place = row.line ? `<div class="text-muted small">${escape(row.line)}</div>` : "";
		return `<tr>
			<td>${link("Sales Invoice", row.invoice)}</td>
			<td>${frappe.datetime.str_to_user(row.posting_date)}</td>
			<td><a href="${row_url(row.row)}"><b>${escape(row.item)}</b></a>${place}</td>
			<td>${row.days ? `${escape(row.days[0])} – ${escape(row.days[1])}` : ""}</td>
			<td class="text-right">${format_currency(row.amount, row.currency)}</td>
		</tr>`;
	}

	async function show_row(page, name) {
		const line = await frappe.xcall(`${EXPLAIN}.line`, { row: name });
		page.set_title(__("Explain This Line"));
		page.add_inner_button(__("Invoice"), () => frappe.set_route("Form", "Sales Invoice", line.invoice));
		page.add_inner_button(__("Lines of the Invoice"), () => go("invoice", line.invoice));
		if (line.subscription) {
			page.add_inner_button(__("Lines of the Subscription"), () => go("subscription", line.subscription));
		}
		if (line.can_dispute) {
			page.set_primary_action(__("Dispute…"), () => dispute(line));
		}
		page.main.html(
			`${head_html(line)}${bar_html(line.bar)}${steps_html(line)}${verdict_html(line)}${trail_html(line.trail)}`
		);
	}

	function head_html(line) {
		return `<h4 class="tv-explain-head">${escape(line.headline)}</h4>
			<p class="text-muted">${link("Sales Invoice", line.invoice)} ·
				${frappe.datetime.str_to_user(line.posting_date)}${
			line.subscription ? ` · ${link("TV Subscription", line.subscription)}` : ""
		}${line.line ? ` · ${escape(line.line)}` : ""}</p>`;
	}

	// The whole period as a bar: the days charged filled, those given back hatched.
	function bar_html(bar) {
		if (!bar) return "";
		const place = (day) => (100 * frappe.datetime.get_day_diff(day, bar.from)) / bar.days;
		const parts = bar.segments
			.map((part) => {
				const left = Math.max(place(part.from), 0);
				const width = Math.min(place(part.to), 100) - left;
				return `<div class="tv-explain-${part.kind}" style="left:${left}%;width:${width}%"
					title="${escape(legend(part.kind))}: ${span_text(part)}"></div>`;
			})
			.join("");
		const kinds = [...new Set(bar.segments.map((part) => part.kind))];
		return `<div class="tv-explain-bar" role="img" aria-label="${escape(__("Days of the period"))}">${parts}</div>
			<div class="tv-explain-scale"><span>${frappe.datetime.str_to_user(bar.from)}</span>
				<span>${kinds
					.map((kind) => `<i class="tv-explain-key tv-explain-${kind}"></i>${escape(legend(kind))}`)
					.join(" ")}</span>
				<span>${last_day(bar.to)}</span></div>`;
	}

	function legend(kind) {
		return { charged: __("Charged"), given_back: __("Given back") }[kind];
	}

	function span_text(part) {
		return `${frappe.datetime.str_to_user(part.from)} – ${last_day(part.to)}`;
	}

	function last_day(until) {
		return frappe.datetime.str_to_user(frappe.datetime.add_days(until, -1));
	}

	function steps_html(line) {
		const steps = line.steps
			.map(
				(step) => `<tr><td>${escape(step.what)}</td><td class="text-muted">${escape(step.how)}</td>
				<td class="text-right">${escape(step.amount)}</td></tr>`
			)
			.join("");
		return `<table class="table tv-explain-steps"><tbody>${steps}
			<tr><th>${__("On the invoice, excl. VAT")}</th><th></th>
			<th class="text-right">${format_currency(line.posted, line.currency)}</th></tr></tbody></table>`;
	}

	function verdict_html(line) {
		const color = { true: "green", false: "red" }[line.agrees] || "gray";
		return `<p class="tv-explain-verdict"><span class="indicator ${color}"></span>${escape(line.verdict)}</p>`;
	}

	function trail_html(trail) {
		const titles = {
			price: __("Priced by"),
			cause: __("Caused by"),
			corrects: __("Gives back a part of"),
			corrected_by: __("Given back by"),
			concessions: __("Granted on it"),
			disputes: __("Disputes"),
			run: __("Billed by"),
			claim: __("Keeps it from being billed twice"),
		};
		const blocks = Object.entries(titles)
			.filter(([part]) => trail[part].length)
			.map(([part, title]) => `<dt>${title}</dt><dd>${trail[part].map(record_html).join("<br>")}</dd>`);
		return `<dl class="tv-explain-trail">${blocks.join("")}</dl>`;
	}

	function record_html(record) {
		const url = record.row ? row_url(record.row) : form_url(record.doctype, record.name);
		return `<a href="${url}">${escape(record.name)}</a> <span class="text-muted">${escape(record.text)}</span>`;
	}

	function link(doctype, name) {
		return `<a href="${form_url(doctype, name)}">${escape(name)}</a>`;
	}

	function form_url(doctype, name) {
		return `/app/${frappe.router.slug(doctype)}/${encodeURIComponent(name)}`;
	}

	function row_url(row) {
		return `/app/explain-tv-line/row/${encodeURIComponent(row)}`;
	}

	function go(of, name) {
		frappe.set_route("explain-tv-line", of, name);
	}

	async function dispute(line) {
		await frappe.require("/assets/subscriber_tv/js/raise_dispute.js");
		subscriber_tv.raise_dispute(line.invoice, (name) => frappe.set_route("Form", "TV Dispute", name), line.row);
	}
})();
