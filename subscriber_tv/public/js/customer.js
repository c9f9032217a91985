// A cancelled invoice frees its periods: whoever opens the customer sees it before the next bill run does it.

frappe.ui.form.on("Customer", {
	async refresh(frm) {
		if (frm.is_new() || !frappe.model.can_read("TV Bill Run")) return;
		const name = frm.doc.name;
		const periods = await frappe.xcall("subscriber_tv.api.billing.to_be_billed_again", { customer: name });
		if (!periods.length || frm.doc.name !== name) return;
		frm.dashboard.set_headline_alert(
			__("{0} periods of cancelled invoices are to be billed again by the next bill run.", [periods.length]),
			"orange"
		);
	},
});
