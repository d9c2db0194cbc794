"""What an S3-compatible store refuses, in the store's own words: not there, or try again."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from server.storage.base import StorageFull

_ABSENT = frozenset({"NoSuchKey", "404", "NotFound"})
_BUSY = frozenset({"SlowDown", "ServiceUnavailable", "RequestTimeout", "Throttling", "503"})

_log = logging.getLogger("fairlock.storage")


class StoreRefuses(StorageFull):
    """The store answered, and said no; asking it about something else is no waste of time."""


@contextmanager
def answers() -> Iterator[None]:
    """Turn boto3's errors into ``FileNotFoundError`` (no such object), ``StoreRefuses`` or ``StorageFull`` (no answer).

    Details go to the log: they name buckets and addresses, which are nobody else's business.
    """
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _ABSENT:
            raise FileNotFoundError("there is no such object") from error
        _log.warning("the store refuses %s: %s", error.operation_name, error)
        raise StoreRefuses(f"the store refuses: {code}", after_s=10 if code in _BUSY else 60) from error
    except (BotoCoreError, HTTPError) as error:
        _log.warning("the store does not answer: %s", error)
        raise StorageFull("the store does not answer", after_s=15) from error
