"""Download a file over HTTP into memory, with limits.

Owns timeouts, the size limit and the words for what went wrong. A host that did not answer is not asked again by the
same ``Downloader``, so that a machine without the internet waits once. Runs in the thread that fetches models.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

import requests

from app.contract.errors import Retryable

CONNECT_S = 4
READ_S = 30
LARGEST = 200 * 2**20
_CHUNK = 1 << 20


class Downloader:
    """Fetches addresses; remembers hosts that failed. ``certificates`` is a file of trusted roots or ``None``."""

    def __init__(self, *, certificates: str | None = None) -> None:
        self._session = requests.Session()
        if certificates:
            self._session.verify = certificates
        self._dead: set[str] = set()

    def get(
        self, address: str, *, accept: str = "*/*", progress: Callable[[int], None] = lambda _megabytes: None
    ) -> bytes:
        """Return the body at ``address``. ``progress`` gets the megabytes so far. Raises ``Retryable``."""
        host = urlsplit(address).hostname or ""
        if host in self._dead:
            raise Retryable(f"{host} did not answer before.", code="E-DOWNLOAD")
        try:
            return self._read(address, accept, progress)
        except requests.HTTPError as error:
            raise Retryable(f"{host} answered {error.response.status_code}.", code="E-DOWNLOAD") from error
        except (requests.RequestException, OSError) as error:
            self._dead.add(host)
            raise Retryable(f"{host} can't be reached.", code="E-DOWNLOAD") from error

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _read(self, address: str, accept: str, progress: Callable[[int], None]) -> bytes:
        body = bytearray()
        with self._session.get(address, headers={"Accept": accept}, timeout=(CONNECT_S, READ_S), stream=True) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_content(_CHUNK):
                body += chunk
                if len(body) > LARGEST:
                    raise Retryable("The file is larger than any model.", code="E-DOWNLOAD")
                progress(len(body) >> 20)
        return bytes(body)
