"""The bodies of requests: JSON objects of texts, limited in size and checked."""

import asyncio
import json

from starlette.requests import ClientDisconnect, Request

from keras_bert.errors import InputError

MAX_BYTES = 64 * 1024  # of a body: the longest texts in JSON, where a character may take twelve bytes
SECONDS = 10  # in which a body must arrive


class BodyError(InputError):
    """A body that is not read. `status` is the HTTP status of the answer."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


async def read_texts(request: Request, limits: dict[str, int]) -> dict[str, str]:
    """Read the texts of a request.

    Args:
        request: its body must be a JSON object with exactly the keys of `limits` and strings as values.
        limits: the largest number of characters of each text.

    Returns:
        A dict of the texts.

    Raises:
        BodyError: the body has another type or form, is too large, or takes too long to arrive.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise BodyError(415, "the content type must be application/json")
    try:
        async with asyncio.timeout(SECONDS):
            body = await _read(request)
    except TimeoutError:
        raise BodyError(408, f"the body must arrive within {SECONDS} seconds") from None
    except ClientDisconnect:
        raise BodyError(400, "the body must be complete") from None
    return parse_texts(body, limits)


async def _read(request: Request) -> bytes:
    """Read the body as it arrives, and stop at the limit: `Content-Length` may be missing or wrong."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BYTES:
            raise BodyError(413, f"the body must have at most {MAX_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)


def parse_texts(body: bytes, limits: dict[str, int]) -> dict[str, str]:
    """Return the texts of a body, see `read_texts`.

    >>> parse_texts(b'{"text": "a film"}', {"text": 10})
    {'text': 'a film'}
    """
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        raise BodyError(400, "the body must be JSON in UTF-8") from None
    if not isinstance(values, dict) or set(values) != set(limits):
        raise BodyError(400, f"the body must be a JSON object with the keys {', '.join(limits)}, and no others")
    for name, value in values.items():
        if not isinstance(value, str) or not value.strip():
            raise BodyError(400, f"`{name}` must be a text that is not empty")
        if len(value) > limits[name]:
            raise BodyError(400, f"`{name}` must have at most {limits[name]} characters. Received: {len(value)}")
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise BodyError(400, f"`{name}` must be valid Unicode, without lone surrogates") from None
    return values
