// TV lines make the first bill; once the quotation is submitted they make the contract.

frappe.ui.form.on("Quotation", {
	setup(frm) {
		frm.set_query("offer_version", "tv_lines", () => ({
			filters: { docstatus: 1, company: frm.doc.company, currency: frm.doc.currency },
		}));
		frm.set_query("site", "tv_lines", () => ({
			filters: { disabled: 0, ...(frm.doc.quotation_to === "Customer" && { customer: frm.doc.party_name }) },
		}));
		frm.set_query("tv_exit_rule", () => ({ filters: { docstatus: 1, currency: frm.doc.currency } }));
	},

	refresh(frm) {
		// Computed by the server at each save: with TV lines there is nothing to type in.
		const computed = (frm.doc.tv_lines || []).length > 0;
		frm.set_df_property("items", "reqd", computed ? 0 : 1);
		if (frm.doc.docstatus !== 1 || !computed || frm.doc.quotation_to !== "Customer") return;
		frm.add_custom_button(__("TV Subscription"), () => open_subscriptions(frm), __("Create"));
	},

	tv_lines_add(frm) {
		frm.set_df_property("items", "reqd", 0);
	},
});

async function open_subscriptions(frm) {
	const names = await frappe.xcall("subscriber_tv.api.quotes.open_subscriptions", {
		quotation: frm.doc.name,
	});
	frappe.show_alert({ message: __("Opened: {0}", [names.join(", ")]), indicator: "green" });
	if (names.length === 1) frappe.set_route("Form", "TV Subscription", names[0]);
	else frappe.set_route("List", "TV Subscription", { quotation: frm.doc.name });
}
