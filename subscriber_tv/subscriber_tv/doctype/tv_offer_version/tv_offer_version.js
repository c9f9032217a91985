const TIERED = ["Graduated", "Volume"];
const WITH_TIERS = [...TIERED, "Usage"];
const PERCENTS = ["Percent Of", "Percentage"];

// The same table is checked on the server (core/catalogue/charge.py).
const MODELS_OF = {
	Recurring: ["Per Unit", "Flat", "Graduated", "Volume", "Package", "Percent Of"],
	"One-off": ["Per Unit", "Flat", "Graduated", "Volume", "Package"],
	Usage: ["Per Unit", "Graduated", "Volume", "Package", "Usage", "Percentage"],
	Deposit: ["Per Unit"],
};

// What a field goes back to when the kind of charge or the price model no longer reads it.
function unread(row) {
	const recurring = row.charge_kind === "Recurring";
	const percent = PERCENTS.includes(row.price_model);
	const by_periods = ["Recurring", "Usage"].includes(row.charge_kind) && row.price_model !== "Percent Of";
	return {
		...(TIERED.includes(row.price_model) || percent ? { unit_price: 0 } : {}),
		...(row.price_model === "Package" ? {} : { block_size: 0, free_units: 0 }),
		...(row.price_model === "Usage" ? {} : { allowance: 0 }),
		...(percent ? {} : { percent: 0, maximum: 0 }),
		...(row.price_model === "Percent Of" ? {} : { of_charges: "" }),
		...(recurring || row.price_model === "Percentage" ? {} : { minimum: 0 }),
		...(recurring ? {} : { timing: "Advance" }),
		...(by_periods ? {} : { proration: "Actual Days" }),
		...(recurring && TIERED.includes(row.price_model) ? {} : { counts_over: "Line" }),
	};
}

function fit(frm, cdt, cdn) {
	const row = locals[cdt][cdn];
	for (const [field, value] of Object.entries(unread(row))) {
		if ((row[field] || value) !== value) frappe.model.set_value(cdt, cdn, field, value);
	}
	show_models(frm, cdn);
	show_tiers(frm);
}

// Only the models that this kind of charge knows are offered.
function show_models(frm, cdn) {
	const grid_row = frm.fields_dict.charges.grid.grid_rows_by_docname[cdn];
	const models = MODELS_OF[grid_row?.doc.charge_kind];
	if (!models) return;
	grid_row.docfields.find((field) => field.fieldname === "price_model").options = models.join("\n");
	grid_row.refresh_field("price_model");
}

// A hidden row would still be checked, so the table also shows while it holds any.
function show_tiers(frm) {
	const needed = (frm.doc.charges || []).some((row) => WITH_TIERS.includes(row.price_model));
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

	form_render(frm, cdt, cdn) {
		show_models(frm, cdn);
	},

	charge_kind(frm, cdt, cdn) {
		const row = locals[cdt][cdn];
		const models = MODELS_OF[row.charge_kind] || [];
		if (!models.includes(row.price_model)) frappe.model.set_value(cdt, cdn, "price_model", models[0]);
		fit(frm, cdt, cdn);
	},

	price_model: fit,

	of_charges(frm, cdt, cdn) {
		const codes = (locals[cdt][cdn].of_charges || "").toUpperCase();
		frappe.model.set_value(cdt, cdn, "of_charges", codes);
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
		const tiered = frm.doc.charges.filter((row) => WITH_TIERS.includes(row.price_model));
		const codes = tiered.map((row) => row.charge_code);
		if (codes.length === 1) frappe.model.set_value(cdt, cdn, "charge_code", codes[0]);
	},
});
