// How far a file is loaded, what became of its rows, and the ways on from those that were rejected.
(() => {
	const API = "subscriber_tv.api.usage";
	const WORKING = ["Queued", "Running"];

	frappe.ui.form.on("TV Import", {
		setup(frm) {
			frappe.realtime.on("tv_import_progress", ({ tv_import, percent, text }) => {
				if (tv_import !== frm.doc.name) return;
				if (percent >= 100) frm.reload_doc();
				else frm.dashboard.show_progress(__("Loading"), percent, text);
			});
		},

		refresh(frm) {
			frm.disable_save();
			const working = WORKING.includes(frm.doc.status);
			if (working) show_progress(frm);
			show_waiting(frm);
			frm.add_custom_button(__("Usage Records"), () =>
				frappe.set_route("List", "TV Usage Record", { tv_import: frm.doc.name })
			);
			if (!frappe.model.can_write("TV Usage Record")) return;
			if (working || frm.doc.status === "Failed") {
				frm.add_custom_button(__("Resume"), () => act(frm, "resume_import"));
			}
			if (frm.doc.__onload?.waiting) add_ways_on(frm);
		},
	});

	function show_progress(frm) {
		const { rows_done, rows_total } = frm.doc;
		if (!rows_total) return;
		const percent = Math.min(99, Math.round((rows_done * 100) / rows_total));
		frm.dashboard.show_progress(__("Loading"), percent, __("{0} rows read", [rows_done]));
	}

	function show_waiting(frm) {
		const waiting = frm.doc.__onload?.waiting;
		if (frm.doc.error) frm.set_intro(frappe.utils.escape_html(frm.doc.error), "red");
		else if (waiting) {
			frm.set_intro(
				__("{0} records wait: put right what their reasons name, then try them again, or correct the file and load it anew.", [
					waiting,
				]),
				"orange"
			);
		}
	}

	function add_ways_on(frm) {
		frm.add_custom_button(__("Rejected Records"), () =>
			frappe.set_route("List", "TV Usage Record", {
				tv_import: frm.doc.name,
				state: ["in", ["Rejected", "Conflict", "Received", "Held"]],
			})
		);
		frm.add_custom_button(__("Download Rejected"), () =>
			window.open(`/api/method/${API}.rejected_file?tv_import=${encodeURIComponent(frm.doc.name)}`)
		);
		frm.add_custom_button(__("Try Rejected Again"), () => act(frm, "try_import_again")).addClass("btn-primary");
	}

	async function act(frm, method) {
		await frappe.xcall(`${API}.${method}`, { tv_import: frm.doc.name });
		frappe.show_alert({ message: __("It goes on in the background."), indicator: "blue" });
	}
})();
