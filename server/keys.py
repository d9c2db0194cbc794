"""The server's two private keys on disk: RSA for the tokens that applications send, Ed25519 for what it signs."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from app.contract.errors import UserFacing
from app.contract.sealing.keys import public_bytes
from server.synced import sync_folder, write_whole

RSA_BITS = 3072


@dataclass(frozen=True, slots=True)
class ServerKeyPairs:
    """The private keys, and the public halves as policies write them."""

    token: rsa.RSAPrivateKey
    receipt: Ed25519PrivateKey

    @property
    def token_public(self) -> bytes:
        """DER SPKI of the RSA key."""
        return self.token.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def receipt_public(self) -> bytes:
        """The raw 32 bytes of the Ed25519 key."""
        return public_bytes(self.receipt.public_key())


def are_in(folder: Path) -> bool:
    """Return whether keys were made in ``folder``."""
    return (folder / "token.pem").exists()


def create(folder: Path) -> None:
    """Make the keys that are not there yet; never replaces one."""
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)
    if not (folder / "token.pem").exists():
        _write(folder / "token.pem", rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS))
    if not (folder / "receipt.pem").exists():
        _write(folder / "receipt.pem", Ed25519PrivateKey.generate())


def load(folder: Path) -> ServerKeyPairs:
    """Read both keys; raises ``UserFacing`` when one is missing or is not what its name says."""
    try:
        token = load_pem_private_key((folder / "token.pem").read_bytes(), None)
        receipt = load_pem_private_key((folder / "receipt.pem").read_bytes(), None)
    except (OSError, ValueError) as error:
        raise UserFacing(
            f"The server's keys in {folder} can't be read ({error}).",
            advice="Run `fairlock-server init` first, or restore the folder from the backup.",
            code="E-SERVER-KEYS",
        ) from error
    if not isinstance(token, rsa.RSAPrivateKey) or not isinstance(receipt, Ed25519PrivateKey):
        raise UserFacing(
            f"The files in {folder} hold other kinds of keys than their names say.",
            advice="Restore the folder from the backup.",
            code="E-SERVER-KEYS",
        )
    return ServerKeyPairs(token=token, receipt=receipt)


def _write(path: Path, key: rsa.RSAPrivateKey | Ed25519PrivateKey) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_whole(path, pem)
