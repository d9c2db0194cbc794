"""A hostile exam site on this machine, a stranger that counts what reaches it, and the real tab between them."""
