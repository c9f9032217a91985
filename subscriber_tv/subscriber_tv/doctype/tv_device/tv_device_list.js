frappe.listview_settings["TV Device"] = {
	add_fields: ["state", "credential_state", "suspicion", "line_id"],
	hide_name_column: true,

	get_indicator(doc) {
		if (doc.credential_state === "Revoked") return [__("Revoked"), "red", "credential_state,=,Revoked"];
		if (doc.credential_state === "Quarantined") return [__("Quarantined"), "red", "credential_state,=,Quarantined"];
		if (doc.suspicion) return [__(doc.suspicion), "orange", `suspicion,=,${doc.suspicion}`];
		if (doc.credential_state === "Pending") return [__("Pending"), "blue", "credential_state,=,Pending"];
		if (doc.credential_state === "Active") return [__("Active"), "green", "credential_state,=,Active"];
		const colors = { "In Stock": "gray", "In Service": "orange", Sold: "orange", "Out of Stock": "darkgrey" };
		return [__(doc.state), colors[doc.state], `state,=,${doc.state}`];
	},
};
