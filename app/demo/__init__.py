"""The whole line once, on real parts: what ``fairlock demo`` runs. Never imported by the application itself."""
