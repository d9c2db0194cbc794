"""Segments as objects of an S3-compatible store, at ``[PREFIX/]`` and what ``path_of`` says.

The bytes wait in a file of the data folder until all are there and their digest is known; no segment is ever held in
memory. ``finish`` sends the file as the one part of a multipart upload, which nobody can read yet, with its SHA-256 for
the store to check; ``publish`` completes that upload, which is atomic in S3. Only then is a receipt signed.
"""

import io
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from server.storage.base import StorageFull, Stored, folder_of, path_of
from server.storage.drafts import ABANDONED_S, Draft, Drafts
from server.storage.s3_errors import StoreRefuses, answers
from server.storage.s3_reader import ObjectReader

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ObjectIdentifierTypeDef

MARK = "fairlock-sha256"
"""Metadata of each object, in hexadecimal."""


class S3Store:
    """A store in one bucket; ``client`` is boto3's, which any number of threads may use."""

    def __init__(self, client: "S3Client", *, bucket: str, prefix: str, drafts: Path) -> None:
        self._client, self._bucket = client, bucket
        self._prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
        self._drafts = Drafts(drafts)
        self._abort(self._prefix + "sessions/", older_than_s=ABANDONED_S)

    def begin(self, place: Stored) -> "S3Upload":
        """Start an upload; raises ``StorageFull``."""
        key = self._key(place)
        return S3Upload(self._client, self._drafts.begin(), bucket=self._bucket, key=key)

    def open(self, place: Stored) -> BinaryIO:
        """Open a segment for reading; raises ``FileNotFoundError`` or ``StorageFull``."""
        return cast(BinaryIO, io.BufferedReader(ObjectReader(self._client, bucket=self._bucket, key=self._key(place))))

    def size(self, place: Stored) -> int:
        """Return a segment's length in bytes; raises ``FileNotFoundError`` or ``StorageFull``."""
        with answers():
            return self._client.head_object(Bucket=self._bucket, Key=self._key(place))["ContentLength"]

    def held(self, session: str) -> dict[str, int]:
        """Return all that lies in a session's folder, as ``path_of`` names it, with its bytes."""
        folder, held = f"{self._prefix}{folder_of(session)}/", {}
        with answers():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=folder):
                for one in page.get("Contents", ()):
                    held[one["Key"].removeprefix(self._prefix)] = one["Size"]
        return held

    def delete(self, place: Stored) -> None:
        """Delete a segment with all its versions; harmless when it is not there."""
        key = self._key(place)
        self._delete(one for one in self._versions(key) if one["Key"] == key)

    def shred(self, session: str, head: int) -> None:  # noqa: ARG002  (an object can't be overwritten in place)
        """Delete every version of every object of a session, and look whether they are gone.

        Raises ``StorageFull`` when something is left, such as objects under a lock: then nobody may sign a deletion.
        """
        folder = f"{self._prefix}{folder_of(session)}/"
        self._abort(folder, older_than_s=0)
        with suppress(StoreRefuses):  # what it keeps is counted
            self._delete(self._versions(folder))
        left = sum(1 for _one in self._versions(folder))
        if left:
            raise StorageFull(f"the store still holds {left} objects of the session", after_s=3_600)

    def _key(self, place: Stored) -> str:
        return self._prefix + path_of(place)

    def _versions(self, prefix: str) -> "Iterator[ObjectIdentifierTypeDef]":
        """Yield each version and each mark of a deletion; a bucket without versions has one of each, named null."""
        with answers():
            for page in self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix):
                for one in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
                    yield {"Key": one["Key"], "VersionId": one["VersionId"]}

    def _delete(self, objects: "Iterator[ObjectIdentifierTypeDef]") -> None:
        """Delete all that may be deleted; then raise the first refusal."""
        refused: StoreRefuses | None = None
        # One by one: the call for many wants a checksum that not every store understands.
        for one in list(objects):
            try:
                with suppress(FileNotFoundError), answers():
                    self._client.delete_object(Bucket=self._bucket, Key=one["Key"], VersionId=one["VersionId"])
            except StoreRefuses as error:
                refused = refused or error
        if refused:
            raise refused

    def _abort(self, prefix: str, *, older_than_s: int) -> None:
        """Throw away what uploads that nobody goes on with have sent."""
        until = datetime.now(UTC) - timedelta(seconds=older_than_s)
        with answers():
            for page in self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._bucket, Prefix=prefix
            ):
                for one in page.get("Uploads", ()):
                    if one["Initiated"] <= until and one["Key"].startswith(prefix):
                        self._abort_one(one["Key"], one["UploadId"])

    def _abort_one(self, key: str, upload: str) -> None:
        with suppress(self._client.exceptions.NoSuchUpload):  # another server was faster
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload)


class S3Upload:
    """One object on its way."""

    def __init__(self, client: "S3Client", draft: Draft, *, bucket: str, key: str) -> None:
        self._client, self._draft = client, draft
        self._bucket, self._key = bucket, key
        self._upload = self._etag = ""

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes; raises ``StorageFull``."""
        self._draft.write(data)

    def finish(self) -> tuple[int, bytes]:
        """Send the bytes to the store, unreadable as yet; return size and SHA-256. Raises ``StorageFull``."""
        self._draft.close()
        digest = self._draft.digest
        with answers(), self._draft.reopen() as body:
            begun = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=self._key, Metadata={MARK: digest.hex()}, ChecksumAlgorithm="SHA256"
            )
            self._upload = begun["UploadId"]
            sent = self._client.upload_part(
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._upload,
                PartNumber=1,
                Body=body,
                ContentLength=self._draft.size,
                ChecksumSHA256=b64encode(digest).decode(),
            )
            self._etag = sent["ETag"]
        return self._draft.size, digest

    def publish(self) -> None:
        """Complete the upload; raises ``StorageFull``."""
        checksum = b64encode(self._draft.digest).decode()
        with answers():
            try:
                self._client.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=self._key,
                    UploadId=self._upload,
                    MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": self._etag, "ChecksumSHA256": checksum}]},
                )
            except self._client.exceptions.NoSuchUpload:
                # The answer to a first try was lost, and the client's second one comes too late.
                if not self._is_there():
                    raise
        self._upload = ""

    def _is_there(self) -> bool:
        try:
            with answers():
                found = self._client.head_object(Bucket=self._bucket, Key=self._key)
        except FileNotFoundError:
            return False
        return (found["ContentLength"], found["Metadata"].get(MARK)) == (self._draft.size, self._draft.digest.hex())

    def discard(self) -> None:
        """Throw away what was sent and the file; harmless after ``publish``."""
        if self._upload:
            # What can't be aborted now is aborted by the next start.
            with suppress(StorageFull, FileNotFoundError), answers():
                self._client.abort_multipart_upload(Bucket=self._bucket, Key=self._key, UploadId=self._upload)
            self._upload = ""
        self._draft.discard()
