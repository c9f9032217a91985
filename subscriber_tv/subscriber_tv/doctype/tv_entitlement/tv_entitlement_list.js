frappe.listview_settings["TV Entitlement"] = {
	add_fields: ["kind", "state", "removed"],
	hide_name_column: true,

	get_indicator(doc) {
		if (doc.removed) return [__("Removed"), "gray", "removed,=,1"];
		if (doc.kind === "Offer") return [__("Offer"), "blue", "kind,=,Offer"];
		const color = { Active: "green", Suspended: "orange" }[doc.state] || "gray";
		return [__(doc.state), color, `state,=,${doc.state}`];
	},
};
