// How lists show price revisions and migrations.

for (const doctype of ["TV Price Revision", "TV Migration"]) {
	frappe.listview_settings[doctype] = {
		add_fields: ["status"],
		has_indicator_for_draft: true,
		has_indicator_for_cancelled: true,

		get_indicator(doc) {
			const colors = {
				Draft: "gray",
				Completed: "green",
				"Completed with Errors": "orange",
				"Waiting for Letters": "yellow",
				"Taken Back": "purple",
				Failed: "red",
				Cancelled: "darkgrey",
			};
			return [__(doc.status), colors[doc.status] || "blue", `status,=,${doc.status}`];
		},
	};
}
