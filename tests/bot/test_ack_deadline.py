import asyncio

import pytest

from bot.ack_deadline import promptly
from bot.database.engine import RecordsError


async def test_what_takes_too_long_is_given_up_in_words() -> None:
    with pytest.raises(RecordsError, match="cannot be reached"):
        async with promptly(0.01):
            await asyncio.sleep(5)


async def test_what_is_there_in_time_goes_on() -> None:
    async with promptly(5):
        await asyncio.sleep(0)
