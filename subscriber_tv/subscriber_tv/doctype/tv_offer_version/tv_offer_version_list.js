frappe.listview_settings["TV Offer Version"] = {
	add_fields: ["docstatus", "valid_from", "valid_upto"],

	get_indicator(doc) {
		const today = frappe.datetime.get_today();
		if (doc.docstatus === 0) return [__("Draft"), "gray", "docstatus,=,0"];
		if (doc.docstatus === 2) return [__("Cancelled"), "red", "docstatus,=,2"];
		if (doc.valid_from > today) return [__("On Sale Soon"), "blue", `valid_from,>,${today}`];
		if (doc.valid_upto && doc.valid_upto < today) {
			return [__("No Longer on Sale"), "darkgrey", `valid_upto,<,${today}`];
		}
		return [__("On Sale"), "green", "docstatus,=,1"];
	},
};
