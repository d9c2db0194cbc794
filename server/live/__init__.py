"""Live view, the server's side: pieces of sealed segments come in from applications and go out to who watches.

Everything but the routes and ``answer`` knows no HTTP framework. All of it runs in the event loop alone, so that
nothing is locked; nothing here touches the disk or opens a piece.
"""
