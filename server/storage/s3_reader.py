"""Reads one object of an S3-compatible store window by window, from anywhere in it. Belongs to one thread at a time."""

import io
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from server.storage.s3_errors import answers

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from types_boto3_s3 import S3Client

WINDOW = 1024 * 1024
"""Bytes of one request; most segments come whole with the first."""


class ObjectReader(io.RawIOBase):
    """A seekable file of one object as it was when it was opened.

    Every later window is asked for under the first one's ETag, so that two objects never mix. Raises
    ``FileNotFoundError`` when it is made, and ``StorageFull``.
    """

    def __init__(self, client: "S3Client", *, bucket: str, key: str) -> None:
        super().__init__()
        self._client, self._bucket, self._key = client, bucket, key
        self._at = self._start = self._size = 0
        self._window = b""
        self._etag = ""
        self._fetch(0)

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Move to a place; nothing is fetched until it is read."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        """Return the present place."""
        return self._at

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Read up to the end of the present window."""
        target = memoryview(buffer).cast("B")
        if self._at >= self._size or not len(target):
            return 0
        if not self._start <= self._at < self._start + len(self._window):
            self._fetch(self._at)
        part = memoryview(self._window)[self._at - self._start :][: len(target)]
        target[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _fetch(self, start: int) -> None:
        span = f"bytes={start}-{start + WINDOW - 1}"
        with answers():
            try:
                if self._etag:
                    found = self._client.get_object(Bucket=self._bucket, Key=self._key, Range=span, IfMatch=self._etag)
                else:
                    found = self._client.get_object(Bucket=self._bucket, Key=self._key, Range=span)
            except ClientError as error:
                if start == 0 and error.response.get("Error", {}).get("Code") == "InvalidRange":
                    return  # an empty object has no first byte
                raise
            self._window = found["Body"].read()
        self._start, self._etag = start, found["ETag"]
        whole = found.get("ContentRange", "").rpartition("/")[2]
        self._size = int(whole) if whole else len(self._window)
