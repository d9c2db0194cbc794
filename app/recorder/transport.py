"""HTTPS as the recorder speaks it: TLS 1.2 or newer with forward secrecy, and pinned keys where a policy names them.

TLS 1.3 has forward secrecy always; of TLS 1.2 only suites with an ephemeral key exchange are offered (RFC 9325, 4.2).
A pin is the SHA-256 of a certificate's public key (SubjectPublicKeyInfo, as in RFC 7469), so that a certificate can be
renewed; it comes on top of the usual checks and never instead of them. Called from any thread of the recorder.
"""

import hashlib
import ssl
from collections.abc import Iterable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from app.recorder.answer_reading import TimelyResponse

BLOCK = 256 * 1024
"""How much of a segment is read and sent at a time; the library's 16 KiB cost more than the network."""
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


class PinMismatch(ssl.SSLError):
    """The server's certificate is valid, but its key is not one of those that the policy names."""


def secure_context() -> ssl.SSLContext:
    """Return a client's context with the system's authorities."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    return context


def public_key_pin(certificate: bytes) -> bytes:
    """Return the pin of a certificate (DER): SHA-256 of its public key."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


class PlainConnection(HTTPConnection):
    """Without TLS, to this machine alone (``ExamLink``)."""

    response_class = TimelyResponse


class PlainPool(HTTPConnectionPool):
    """Makes such connections."""

    ConnectionCls = PlainConnection


class SecureAdapter(HTTPAdapter):
    """Makes the connections of a ``requests.Session``, also through a proxy. Without ``pins`` any valid key will do."""

    def __init__(self) -> None:
        self.pins: frozenset[bytes] = frozenset()
        super().__init__()

    def pin(self, pins: Iterable[bytes]) -> None:
        """Accept only these public keys from the next connection on, and end those that are open."""
        self.pins = frozenset(pins)
        self.close()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **more: Any) -> None:
        """Set up direct connections."""
        super().init_poolmanager(connections, maxsize, block, ssl_context=secure_context(), blocksize=BLOCK, **more)
        self._use_own(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        """Set up connections through ``proxy``; the TLS inside the tunnel is the same."""
        manager = super().proxy_manager_for(proxy, ssl_context=secure_context(), blocksize=BLOCK, **more)
        self._use_own(manager)
        return manager

    def _use_own(self, manager: PoolManager) -> None:
        adapter = self

        class Connection(HTTPSConnection):
            """Checks the pin before a byte of a request is sent."""

            response_class = TimelyResponse

            def connect(self) -> None:
                super().connect()
                adapter.check(self.sock)

        class Pool(HTTPSConnectionPool):
            """Makes such connections."""

            ConnectionCls = Connection

        manager.pool_classes_by_scheme = {"http": PlainPool, "https": Pool}

    def check(self, connected: object) -> None:
        """Raise ``PinMismatch`` if there are pins and the peer's key is none of them."""
        if not self.pins:
            return
        certificate = connected.getpeercert(binary_form=True) if isinstance(connected, ssl.SSLSocket) else None
        if certificate is None or public_key_pin(certificate) not in self.pins:
            raise PinMismatch("the server's key is not one of those that the policy names")


def is_pin_mismatch(error: BaseException) -> bool:
    """Whether a failed request failed because of its pin; libraries wrap the reason several times."""
    waiting: list[BaseException] = [error]
    for one in waiting:
        if isinstance(one, PinMismatch):
            return True
        inner = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        waiting += [other for other in inner if isinstance(other, BaseException) and other not in waiting]
    return False
