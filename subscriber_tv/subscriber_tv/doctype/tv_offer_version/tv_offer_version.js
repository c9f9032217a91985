frappe.ui.form.on("TV Offer Version", {
	setup(frm) {
		frm.set_query("offer", () => ({ filters: { disabled: 0 } }));
		frm.set_query("bouquet", "bouquets", () => ({ filters: { disabled: 0 } }));
		frm.set_query("item", "charges", () => ({ filters: { disabled: 0, is_sales_item: 1 } }));
	},

	refresh(frm) {
		if (frm.doc.docstatus === 0) {
			frm.set_intro(__("Once submitted a version never changes: a new price is a new version."));
			return;
		}
		if (frm.doc.docstatus === 1 && frappe.model.can_create("TV Offer Version")) {
			frm.add_custom_button(__("New Version"), () => frm.copy_doc());
		}
	},

	async company(frm) {
		if (!frm.doc.company || frm.doc.currency) return;
		const found = await frappe.db.get_value("Company", frm.doc.company, "default_currency");
		frm.set_value("currency", found.message.default_currency);
	},
});

frappe.ui.form.on("TV Offer Charge Line", {
	charge_code(frm, cdt, cdn) {
		const row = locals[cdt][cdn];
		frappe.model.set_value(cdt, cdn, "charge_code", (row.charge_code || "").trim().toUpperCase());
	},

	is_free(frm, cdt, cdn) {
		if (locals[cdt][cdn].is_free) frappe.model.set_value(cdt, cdn, "unit_price", 0);
	},
});
