frappe.ui.form.on("TV Import Profile", {
	refresh(frm) {
		frm.get_field("time_zone").set_data(Intl.supportedValuesOf("timeZone"));
		if (frm.is_new()) return;
		frm.add_custom_button(__("Example File"), () =>
			window.open(
				`/api/method/subscriber_tv.api.usage.example_file?profile=${encodeURIComponent(frm.doc.name)}`
			)
		);
	},
});
