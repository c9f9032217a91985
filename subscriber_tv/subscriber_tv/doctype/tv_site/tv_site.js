frappe.ui.form.on("TV Site", {
	setup(frm) {
		frm.set_query("segment", () => ({ filters: { is_group: 0 } }));
		frm.set_query("address", () => ({
			query: "frappe.contacts.doctype.address.address.address_query",
			filters: { link_doctype: "Customer", link_name: frm.doc.customer },
		}));
	},

	refresh(frm) {
		frm.get_field("time_zone").set_data(Intl.supportedValuesOf("timeZone"));
		if (frm.is_new()) return;
		if (!frm.doc.disabled && frappe.model.can_create("TV Subscription")) {
			frm.add_custom_button(__("New Subscription"), () => new_subscription(frm));
		}
		frm.dashboard.add_indicator(
			__("{0} of {1} outlets installed", [frm.doc.outlets_installed || 0, frm.doc.outlets_potential || 0]),
			frm.doc.outlets_installed ? "green" : "orange"
		);
	},
});

function new_subscription(frm) {
	frappe.new_doc("TV Subscription", { customer: frm.doc.customer, site: frm.doc.name });
}
