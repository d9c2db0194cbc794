"""Connects to an S3-compatible store and looks once whether the bucket may be used."""

from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from app.contract.errors import UserFacing

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

CONNECT_S = 5
READ_S = 30
TRIES = 3
CONNECTIONS = 64


def connect(*, bucket: str, endpoint: str, region: str, access_key: str, secret_key: str) -> "S3Client":
    """Return a client that reaches ``bucket``; empty values leave it to boto3's own settings. Raises ``UserFacing``."""
    given = {
        "endpoint_url": endpoint,
        "region_name": region,
        "aws_access_key_id": access_key,
        "aws_secret_access_key": secret_key,
    }
    config = Config(
        connect_timeout=CONNECT_S,
        read_timeout=READ_S,
        retries={"mode": "standard", "total_max_attempts": TRIES},
        max_pool_connections=CONNECTIONS,
        # Names of buckets in the host name need DNS that most own stores do not have.
        s3={"addressing_style": "path" if endpoint else "auto", "payload_signing_enabled": True},
        # The checksums that newer clients add by themselves are unknown to many stores; ours are asked for by name.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value}
    try:
        client: S3Client = boto3.client("s3", config=config, **chosen)
        client.head_bucket(Bucket=bucket)
    except (BotoCoreError, ClientError, ValueError) as error:
        raise UserFacing(
            f"The bucket {bucket} can't be used ({error}).",
            advice="Check endpoint, bucket and keys in server.toml, and that the store runs.",
            code="E-STORE",
        ) from error
    return client
