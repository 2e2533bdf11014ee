import asyncio

import pytest

from bot.ack_deadline import ack_deadline
from bot.database.engine import DatabaseError


async def test_what_takes_too_long_is_given_up_in_words() -> None:
    with pytest.raises(DatabaseError, match="cannot be reached"):
        async with ack_deadline(0.01):
            await asyncio.sleep(5)


async def test_what_is_there_in_time_goes_on() -> None:
    async with ack_deadline(5):
        await asyncio.sleep(0)
