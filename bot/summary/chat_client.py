"""A client for OpenAI's chat completions, which most servers of language models offer.

The API is described at https://platform.openai.com/docs/api-reference/chat/create.
"""

from typing import Annotated, Final

import aiohttp
import pydantic
from pydantic import Field

from bot.exceptions import SummaryError

ANSWER_TIMEOUT_S: Final = 120.0
"""A small model on a processor reads a page of text in half a minute."""
MAX_ANSWER_BYTES: Final = 1 << 20


class _Message(pydantic.BaseModel):
    content: str


class _Choice(pydantic.BaseModel):
    message: _Message


class _Completion(pydantic.BaseModel):
    choices: Annotated[list[_Choice], Field(min_length=1)]


class ChatClient:
    """Asks one model at one address.

    Args:
        session: Sends the requests.
        url: Address of the API, up to and including `/v1`.
        model: Name of the model there.
        key: Sent as bearer token; empty: none is sent.
        timeout_s: Seconds until an answer must be there.

    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        url: str,
        model: str,
        key: str = "",
        timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        self._session = session
        self._url = f"{url.rstrip('/')}/chat/completions"
        self._model = model
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def complete(self, instruction: str, text: str) -> str:
        """Return what the model answers.

        Args:
            instruction: What it is to do.
            text: What it is to do that with.

        Raises:
            SummaryError: The server cannot be reached, refuses, or answers with something else than a text.

        """
        messages = [{"role": "system", "content": instruction}, {"role": "user", "content": text}]
        try:
            async with self._session.post(
                self._url,
                json={"model": self._model, "messages": messages, "stream": False},
                headers=self._headers | {"Accept-Encoding": "identity"},
                timeout=self._timeout,
                # The key is for this address alone.
                allow_redirects=False,
            ) as response:
                if response.status != 200:
                    raise SummaryError(f"status {response.status}")
                body = await _read(response.content)
        # aiohttp raises ValueError for a key that no header can hold.
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise SummaryError(type(error).__name__) from error
        try:
            answer = _Completion.model_validate_json(body).choices[0].message.content.strip()
        except pydantic.ValidationError as error:
            raise SummaryError("the answer is no chat completion") from error
        if not answer:
            raise SummaryError("the answer is empty")
        return answer


async def _read(content: aiohttp.StreamReader) -> bytes:
    """Read a body to its end, in however many pieces it comes. Raises `SummaryError` for one that is too long."""
    body = bytearray()
    async for piece in content.iter_any():
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise SummaryError("the answer is too long")
    return bytes(body)
