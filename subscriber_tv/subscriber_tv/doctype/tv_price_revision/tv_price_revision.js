// Preview, progress and buttons are those of every campaign: public/js/campaign.js.

frappe.ui.form.on("TV Price Revision", {
	setup(frm) {
		frm.set_query("offers", () => ({ filters: { disabled: 0 } }));
	},
});
