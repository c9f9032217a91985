frappe.listview_settings["TV Activation"] = {
	add_fields: ["kind", "code"],
	hide_name_column: true,

	get_indicator(doc) {
		const colors = { Allowed: "green", Refused: "orange", Stranger: "red", "State Change": "blue" };
		return [__(doc.kind), colors[doc.kind], `kind,=,${doc.kind}`];
	},
};
