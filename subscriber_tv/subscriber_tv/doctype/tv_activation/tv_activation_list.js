frappe.listview_settings["TV Activation"] = {
	add_fields: ["kind", "code"],
	hide_name_column: true,

	get_indicator(doc) {
		const colors = { Allowed: "green", Refused: "orange", Stranger: "red", "State Change": "blue" };
		const label = doc.code ? `${__(doc.kind)}: ${doc.code}` : __(doc.kind);
		return [label, colors[doc.kind], `kind,=,${doc.kind}`];
	},
};
