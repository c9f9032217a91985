// What is possible, and for whom, is decided by the server; the form asks it once and draws buttons.

const API = "subscriber_tv.api.disputes";
const NOTE_WANTED = ["accept", "reject", "withdraw"];

frappe.ui.form.on("TV Dispute", {
	async refresh(frm) {
		frm.disable_save();
		if (frm.is_new()) return;
		const name = frm.doc.name;
		await frappe.require("/assets/subscriber_tv/js/table_column.js");
		const steps = await frappe.xcall(`${API}.steps`, { dispute: name });
		if (frm.doc.name !== name) return;
		frm.clear_custom_buttons();
		for (const step of steps) {
			const button = frm.add_custom_button(step.label, () => ask(frm, step));
			if (step.event === "accept") button.removeClass("btn-default").addClass("btn-primary");
		}
		frm.set_intro("");
		frm.set_intro(...intro(frm.doc));
	},
});

function intro(doc) {
	const amount = format_currency(doc.amount_with_tax, doc.currency);
	const granted = format_currency(doc.granted, doc.currency);
	const sentences = {
		Open: [__("{0} (incl. VAT) waits: it is neither dunned nor collected.", [amount]), "orange"],
		"Under Review": [__("{0} (incl. VAT) waits: it is neither dunned nor collected.", [amount]), "orange"],
		Accepted: [__("{0} (excl. VAT) was given back by credit note {1}.", [granted, doc.credit_note]), "green"],
		Rejected: [__("The amount is due again."), "blue"],
		Withdrawn: [__("The amount is due again."), "blue"],
		Closed: [__("The invoice was cancelled."), "blue"],
	};
	return sentences[doc.state];
}

function ask(frm, step) {
	const fields = [
		{
			fieldname: "note",
			fieldtype: "Small Text",
			label: __("Note"),
			reqd: NOTE_WANTED.includes(step.event) ? 1 : 0,
		},
	];
	if (step.event === "accept") fields.unshift(granted_table(frm));
	const dialog = new frappe.ui.Dialog({
		title: step.label,
		size: step.event === "accept" ? "large" : undefined,
		fields,
		primary_action_label: step.label,
		async primary_action(values) {
			dialog.disable_primary_action();
			try {
				await frappe.xcall(`${API}.decide`, {
					dispute: frm.doc.name,
					event: step.event,
					note: values.note,
					granted: step.event === "accept" ? granted(values.lines) : null,
				});
				dialog.hide();
			} finally {
				dialog.enable_primary_action();
				frm.reload_doc();
			}
		},
	});
	dialog.show();
}

function granted_table(frm) {
	const column = subscriber_tv.table_column;
	return {
		fieldname: "lines",
		fieldtype: "Table",
		label: __("What is given back"),
		cannot_add_rows: true,
		cannot_delete_rows: true,
		in_place_edit: true,
		description: __("A credit note gives these amounts back; the rest is due again."),
		data: frm.doc.lines.map((line) => ({
			invoice_row: line.invoice_row,
			description: line.description,
			currency: frm.doc.currency,
			amount: line.amount,
			granted: line.amount,
		})),
		fields: [
			column("description", "Data", __("Description"), 6),
			column("amount", "Currency", __("Disputed (excl. VAT)"), 2),
			column("granted", "Currency", __("Granted (excl. VAT)"), 2, 0),
		],
	};
}

function granted(lines) {
	return Object.fromEntries(lines.map((line) => [line.invoice_row, String(flt(line.granted))]));
}
