// The dialog that disputes rows of an invoice; loaded by the pages that have a button for it.

frappe.provide("subscriber_tv");

(() => {
	const API = "subscriber_tv.api.disputes";
	const GROUNDS = [
		"Wrong Price",
		"Wrong Quantity",
		"Service Not Delivered",
		"Service Interrupted",
		"Already Cancelled",
		"Billed Twice",
		"Other",
	];

	// Used by every page that shows an invoice row; `only` narrows the choice to one row.
	subscriber_tv.raise_dispute = async function (invoice, done, only = null) {
		await frappe.require("/assets/subscriber_tv/js/table_column.js");
		const all = await frappe.xcall(`${API}.disputable_rows`, { invoice });
		const rows = all.filter((row) => flt(row.left) > 0 && (!only || row.row === only));
		if (!rows.length) {
			frappe.msgprint(__("Nothing is left to dispute: it was credited or is disputed already."));
			return;
		}
		const dialog = new frappe.ui.Dialog({
			title: __("Dispute {0}", [invoice]),
			size: "extra-large",
			fields: [
				{
					fieldname: "rows",
					fieldtype: "Table",
					label: __("Rows"),
					cannot_add_rows: true,
					cannot_delete_rows: true,
					in_place_edit: true,
					description: __("Leave the amount empty for rows that are not disputed."),
					data: rows.map((row) => ({
						...row,
						amount: rows.length === 1 ? flt(row.left) : null,
					})),
					fields: row_fields(),
				},
				{ fieldname: "whole", fieldtype: "Check", label: __("Dispute the whole invoice") },
				{ fieldname: "ground", fieldtype: "Select", label: __("Ground"), options: grounds(), reqd: 1 },
				{ fieldname: "reason", fieldtype: "Small Text", label: __("What the payer says"), reqd: 1 },
			],
			primary_action_label: __("Raise Dispute"),
			async primary_action(values) {
				const chosen = (values.rows || []).filter((row) => flt(row.amount));
				if (!values.whole && !chosen.length) {
					frappe.throw(__("Give the amount that is disputed of at least one row."));
				}
				dialog.disable_primary_action();
				try {
					const name = await frappe.xcall(`${API}.raise_dispute`, {
						invoice,
						ground: values.ground,
						reason: values.reason,
						rows: values.whole
							? null
							: chosen.map((row) => ({ row: row.row, amount: String(row.amount) })),
					});
					dialog.hide();
					frappe.show_alert({ message: __("Dispute {0} is raised", [name]), indicator: "orange" });
					done && done(name);
				} finally {
					dialog.enable_primary_action();
				}
			},
		});
		if (only) dialog.set_df_property("whole", "hidden", 1);
		dialog.show();
	};

	function grounds() {
		return GROUNDS.map((ground) => ({ value: ground, label: __(ground) }));
	}

	function row_fields() {
		const column = subscriber_tv.table_column;
		return [
			column("description", "Data", __("Description"), 4),
			column("billed", "Currency", __("Billed (excl. VAT)"), 2),
			column("left", "Currency", __("Left"), 2),
			column("amount", "Currency", __("Disputed (excl. VAT)"), 2, 0),
		];
	}
})();
