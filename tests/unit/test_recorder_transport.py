"""The recorder's TLS against real servers: what it refuses, what it offers, and pins."""

import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from app.contract.errors import FairlockError, UserFacing
from app.recorder.client import ServerClient
from app.recorder.transport import public_key_pin

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
BODY = b'{"institution_key":"","policy":"hello"}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """Signs certificates for 127.0.0.1."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    name: x509.Name

    @property
    def file(self) -> Path:
        """What a client trusts."""
        return self.folder / "authority.pem"

    def issue(self, key: Key) -> tuple[Path, bytes]:
        """Return a file with certificate and key, and the certificate (DER)."""
        certificate = _certificate(_named("127.0.0.1"), key, self.name, self.key, is_authority=False)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path = self.folder / f"{certificate.serial_number}.pem"
        path.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
        return path, certificate.public_bytes(Encoding.DER)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(
    subject: x509.Name, key: Key, issuer: x509.Name, signer: ec.EllipticCurvePrivateKey, *, is_authority: bool
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder, key = tmp_path_factory.mktemp("authority"), ec.generate_private_key(ec.SECP256R1())
    name = _named("Test authority")
    certificate = _certificate(name, key, name, key, is_authority=True)
    it = Authority(folder=folder, key=key, name=name)
    it.file.write_bytes(certificate.public_bytes(Encoding.PEM))
    return it


class Server:
    """Answers each connection once; ``spoken`` collects the TLS version and suite, ``asked`` what was sent."""

    def __init__(self, certificate: Path, tune: Callable[[ssl.SSLContext], object]) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        tune(self._context)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self.spoken: list[tuple[str | None, str]] = []
        self.asked: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            with line:
                line.settimeout(10)
                try:
                    with self._context.wrap_socket(line, server_side=True) as secure:
                        suite = secure.cipher()
                        self.spoken.append((secure.version(), suite[0] if suite else ""))
                        self.asked.append(secure.recv(4096))
                        secure.sendall(ANSWER)
                except OSError:
                    continue

    def close(self) -> None:
        """Stop answering."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)


Start = Callable[..., tuple[Server, bytes]]


@pytest.fixture
def start(authority: Authority) -> Iterator[Start]:
    with ExitStack() as stack:

        def begin(
            tune: Callable[[ssl.SSLContext], object] = lambda _context: None, key: Key | None = None
        ) -> tuple[Server, bytes]:
            path, der = authority.issue(key or ec.generate_private_key(ec.SECP256R1()))
            server = Server(path, tune)
            stack.callback(server.close)
            return server, der

        yield begin


def ask(server: Server, authority: Authority | None, pins: tuple[bytes, ...] = ()) -> str:
    """Fetch a policy, pinned; return its text."""
    client = ServerClient(server.url, authorities=authority.file if authority else None)
    try:
        client.pin(pins)
        return client.policy("exam").policy
    finally:
        client.close()


def test_a_modern_server_is_spoken_to_with_tls_1_3(start: Start, authority: Authority) -> None:
    server, _ = start()
    assert ask(server, authority) == "hello"
    assert server.spoken[0][0] == "TLSv1.3"


def test_with_tls_1_2_the_key_exchange_is_ephemeral(start: Start, authority: Authority) -> None:
    server, _ = start(lambda context: setattr(context, "maximum_version", ssl.TLSVersion.TLSv1_2))
    assert ask(server, authority) == "hello"
    assert server.spoken[0][0] == "TLSv1.2"
    assert server.spoken[0][1].startswith("ECDHE-")


def _without_forward_secrecy(context: ssl.SSLContext) -> None:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES256-GCM-SHA384:@SECLEVEL=0")


def test_a_server_without_forward_secrecy_is_refused(start: Start, authority: Authority) -> None:
    server, _ = start(_without_forward_secrecy, rsa.generate_private_key(65537, 2048))
    with pytest.raises(UserFacing) as refusal:
        ask(server, authority)
    assert refusal.value.code == "E-CERTIFICATE"
    assert server.asked == []


def test_an_unknown_authority_is_refused(start: Start) -> None:
    server, _ = start()
    with pytest.raises(UserFacing) as refusal:
        ask(server, None)
    assert refusal.value.code == "E-CERTIFICATE"


def test_the_pinned_key_is_taken(start: Start, authority: Authority) -> None:
    server, certificate = start()
    assert ask(server, authority, (bytes(32), public_key_pin(certificate))) == "hello"


def test_a_pin_holds_through_a_renewal_of_the_certificate(start: Start, authority: Authority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    _, before = start(key=key)
    server, after = start(key=key)
    assert before != after
    assert ask(server, authority, (public_key_pin(before),)) == "hello"


def test_another_key_is_refused_before_anything_is_sent(start: Start, authority: Authority) -> None:
    server, _ = start()
    with pytest.raises(UserFacing) as refusal:
        ask(server, authority, (bytes(32),))
    assert refusal.value.code == "E-PIN"
    assert server.asked in ([], [b""])


def test_pins_end_the_connections_that_were_open_before(start: Start, authority: Authority) -> None:
    server, _ = start()
    client = ServerClient(server.url, authorities=authority.file)
    client.policy("exam")
    client.pin((bytes(32),))
    with pytest.raises(FairlockError) as refusal:
        client.policy("exam")
    assert refusal.value.code == "E-PIN"
    client.close()


class Proxy:
    """Tunnels every connection to ``port`` on this computer; ``asked`` collects where it was told to go."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.asked: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with self._listener.accept()[0] as near, socket.create_connection(("127.0.0.1", self._port)) as far:
            self.asked.append(near.recv(4096).partition(b"\r\n")[0])
            near.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=self._copy, args=(far, near), daemon=True)
            back.start()
            self._copy(near, far)
            back.join(10)
        self._listener.close()

    @staticmethod
    def _copy(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65_536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return


def test_the_systems_proxy_is_used_and_sees_nothing(
    start: Start, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, _ = start()
    proxy = Proxy(int(server.url.rpartition(":")[2]))
    monkeypatch.setenv("https_proxy", proxy.url)
    client = ServerClient("https://exams.example", authorities=authority.file)
    with pytest.raises(UserFacing) as refusal:
        client.policy("exam")  # the certificate inside the tunnel is of another name
    client.close()
    assert [line.split()[:2] for line in proxy.asked] == [[b"CONNECT", b"exams.example:443"]]
    assert refusal.value.code == "E-CERTIFICATE"
    assert server.asked == []


def test_a_server_on_this_computer_is_reached_without_a_proxy(
    start: Start, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, _ = start()
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    assert ask(server, authority) == "hello"
