// Load a file, try rejected records again, dismiss them; the state of each as its colour.
(() => {
	frappe.listview_settings["TV Usage Record"] = {
		add_fields: ["state", "quantity"],
		hide_name_column: true,

		formatters: {
			charge_code(value, df, doc) {
				const used = doc.quantity ? `${value || ""} × ${doc.quantity}` : value;
				return frappe.utils.escape_html(used || "");
			},
		},

		onload(listview) {
			if (frappe.model.can_write("TV Usage Record")) {
				listview.page.add_inner_button(__("Load a File"), () => load_file());
				listview.page.add_action_item(__("Try Again"), () => try_again(listview));
				listview.page.add_action_item(__("Dismiss"), () => dismiss(listview));
			}
		},

		get_indicator(doc) {
			const colors = {
				Received: "blue",
				Accepted: "cyan",
				Billed: "green",
				Held: "yellow",
				Rejected: "red",
				Conflict: "orange",
				Cancelled: "grey",
				Replaced: "grey",
				Dismissed: "grey",
			};
			return [__(doc.state), colors[doc.state], `state,=,${doc.state}`];
		},
	};

	const USAGE_API = "subscriber_tv.api.usage";

	function load_file() {
		const dialog = new frappe.ui.Dialog({
			title: __("Load a File of Usage Records"),
			fields: [
				{
					fieldname: "profile",
					fieldtype: "Link",
					options: "TV Import Profile",
					label: __("Import Profile"),
					reqd: 1,
					get_query: () => ({ filters: { kind: "Usage", disabled: 0 } }),
					description: __("Says how the file is read. A row that is wrong is kept with the reason."),
				},
				{ fieldname: "example", fieldtype: "Button", label: __("Example File"), click: () => example(dialog) },
			],
			primary_action_label: __("Choose File"),
			primary_action({ profile }) {
				dialog.hide();
				upload(profile);
			},
		});
		dialog.show();
	}

	function example(dialog) {
		const profile = dialog.get_value("profile");
		if (!profile) frappe.throw(__("Choose an import profile first."));
		window.open(`/api/method/${USAGE_API}.example_file?profile=${encodeURIComponent(profile)}`);
	}

	function upload(profile) {
		new frappe.ui.FileUploader({
			restrictions: { allowed_file_types: [".csv", ".txt", ".jsonl", ".json", ".ndjson", ".xlsx"] },
			make_attachments_public: false,
			async on_success(file) {
				const name = await frappe.xcall(`${USAGE_API}.import_usage`, { profile, file_url: file.file_url });
				frappe.show_alert(__("The file is being loaded."));
				frappe.set_route("Form", "TV Import", name);
			},
		});
	}

	async function try_again(listview) {
		const counts = await frappe.xcall(`${USAGE_API}.try_again`, { names: listview.get_checked_items(true) });
		frappe.show_alert({
			message: __("{0} accepted, {1} held, {2} rejected again", [
				counts.accepted || 0,
				counts.held || 0,
				counts.rejected || 0,
			]),
			indicator: counts.rejected || counts.held ? "orange" : "green",
		});
		listview.refresh();
	}

	function dismiss(listview) {
		const names = listview.get_checked_items(true);
		frappe.prompt(
			{ fieldname: "reason", fieldtype: "Small Text", label: __("Reason"), reqd: 1 },
			async ({ reason }) => {
				await frappe.xcall(`${USAGE_API}.dismiss`, { names, reason });
				listview.refresh();
			},
			__("Dismiss")
		);
	}
})();
