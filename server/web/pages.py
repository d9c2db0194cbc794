"""The few HTML pages that the server writes itself: no script, one style sheet, allowed by its hash."""

import base64
from hashlib import sha256

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 44rem; margin: 12vh auto 4rem; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.05rem; margin-top: 2.5rem; } h3 { font-size: .95rem; font-weight: 600; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
td { border-top: 1px solid #8884; padding: .3rem .8rem .3rem 0; vertical-align: top; }
"""

_HASH = base64.b64encode(sha256(STYLE.encode()).digest()).decode()
PAGE_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; frame-ancestors 'none'"


def page(title: str, body: str, *, refresh_s: int | None = None) -> str:
    """Return a whole page; ``title`` is plain text, ``body`` is HTML. It loads itself again after ``refresh_s``."""
    refresh = f'<meta http-equiv="refresh" content="{refresh_s}">' if refresh_s else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width">{refresh}<title>{title}</title>'
        f"<style>{STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>"
    )
