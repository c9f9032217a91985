"""Frappe's WSGI application with its static files, for one site; gunicorn loads it from the sites folder.

`bench serve` would do the same but listens on every interface.
"""

import os

import frappe.app

frappe.app._site = os.environ["SUBSCRIBER_TV_SITE"]
frappe.app._sites_path = os.getcwd()
application = frappe.app.application_with_statics()
