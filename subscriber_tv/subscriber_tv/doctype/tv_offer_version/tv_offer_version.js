const TIERED = ["Graduated", "Volume"];

// A hidden row would still be checked, so the table also shows while it holds any.
function show_tiers(frm) {
	const needed = (frm.doc.charges || []).some((row) => TIERED.includes(row.price_model));
	frm.toggle_display(["tiers_section", "tiers"], needed || (frm.doc.tiers || []).length > 0);
}

function in_capitals(frm, cdt, cdn) {
	const row = locals[cdt][cdn];
	frappe.model.set_value(cdt, cdn, "charge_code", (row.charge_code || "").trim().toUpperCase());
}

frappe.ui.form.on("TV Offer Version", {
	setup(frm) {
		frm.set_query("offer", () => ({ filters: { disabled: 0 } }));
		frm.set_query("bouquet", "bouquets", () => ({ filters: { disabled: 0 } }));
		frm.set_query("item", "charges", () => ({ filters: { disabled: 0, is_sales_item: 1 } }));
	},

	refresh(frm) {
		show_tiers(frm);
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
	charge_code: in_capitals,
	charges_remove: show_tiers,

	price_model(frm, cdt, cdn) {
		const row = locals[cdt][cdn];
		if (TIERED.includes(row.price_model)) frappe.model.set_value(cdt, cdn, "unit_price", 0);
		if (row.price_model !== "Package") {
			frappe.model.set_value(cdt, cdn, { block_size: 0, free_units: 0 });
		}
		show_tiers(frm);
	},

	is_free(frm, cdt, cdn) {
		if (locals[cdt][cdn].is_free) frappe.model.set_value(cdt, cdn, "unit_price", 0);
	},
});

frappe.ui.form.on("TV Offer Tier Line", {
	charge_code: in_capitals,
	tiers_remove: show_tiers,

	// With one tiered charge there is nothing to choose.
	tiers_add(frm, cdt, cdn) {
		const codes = frm.doc.charges.filter((row) => TIERED.includes(row.price_model)).map((row) => row.charge_code);
		if (codes.length === 1) frappe.model.set_value(cdt, cdn, "charge_code", codes[0]);
	},
});
