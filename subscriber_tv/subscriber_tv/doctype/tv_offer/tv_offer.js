frappe.ui.form.on("TV Offer", {
	refresh(frm) {
		if (frm.is_new()) {
			frm.set_intro(__("Save the offer, then give it a version with its bouquets and prices."));
			return;
		}
		if (frappe.model.can_create("TV Offer Version")) {
			frm.add_custom_button(__("New Version"), () => new_version(frm));
		}
		if (!frm.doc.current_version) {
			frm.set_intro(__("Nothing is on sale yet: the offer has no submitted version."), "orange");
		}
	},
});

// The next version starts as a copy of the current one, so that only what changes is typed.
async function new_version(frm) {
	if (!frm.doc.current_version) {
		frappe.new_doc("TV Offer Version", { offer: frm.doc.name });
		return;
	}
	await frappe.model.with_doctype("TV Offer Version");
	await frappe.model.with_doc("TV Offer Version", frm.doc.current_version);
	const copy = frappe.model.copy_doc(frappe.get_doc("TV Offer Version", frm.doc.current_version));
	copy.valid_from = frappe.datetime.get_today();
	copy.valid_upto = null;
	frappe.set_route("Form", "TV Offer Version", copy.name);
}
