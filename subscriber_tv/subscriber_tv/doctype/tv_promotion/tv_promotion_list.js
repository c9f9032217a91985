frappe.listview_settings["TV Promotion"] = {
	add_fields: ["disabled", "valid_upto"],

	get_indicator(doc) {
		if (doc.disabled) return [__("Disabled"), "gray", "disabled,=,1"];
		const today = frappe.datetime.get_today();
		if (doc.valid_upto && doc.valid_upto < today) return [__("Over"), "orange", `valid_upto,<,${today}`];
		return [__("On Offer"), "green", "disabled,=,0"];
	},
};
