"""Examiners: accounts, logins, their key records and the audit log."""
