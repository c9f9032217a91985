// Preview, progress and buttons are those of every campaign: public/js/campaign.js.

frappe.ui.form.on("TV Migration", {
	setup(frm) {
		const sold_here = () => ({
			filters: { docstatus: 1, company: frm.doc.company || "", currency: frm.doc.currency || "" },
		});
		for (const field of ["from_version", "to_version"]) frm.set_query(field, "versions", sold_here);
		frm.set_query("from_version", "charges", () => ({
			filters: { name: ["in", (frm.doc.versions || []).map((row) => row.from_version)] },
		}));
	},
});
