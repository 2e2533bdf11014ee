"""What people are told while the queue is long."""

import simcord

from tests.bot.world import PlayedWorker, card_text, pass_time_until
from worker.queue.keys import MEDIA, WORKERS
from worker.queue.scripts import worker_scripts

CLIP = ("talk.mp4", b"a clip of some length")


async def slow_down(played: PlayedWorker, pace: float) -> None:
    """Have one worker that takes that many seconds for each second of a clip."""
    connection = played.queue.connection
    await connection.run("return redis.call('SET', KEYS[1], ARGV[1])", [MEDIA.pace], [pace])
    await connection.run(worker_scripts.REGISTER_WORKER, [WORKERS], ["media/somewhere-1-1", 60])


async def test_who_waits_is_told_about_how_long(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    await slow_down(played, 60)
    await alice.slash(channel, "separate", clip=CLIP)
    second = await alice.slash(channel, "separate", clip=CLIP)
    assert second.response is not None
    await pass_time_until(env, lambda: "one clip is ahead. About 5 minutes." in card_text(second.response))


async def test_a_clip_that_would_wait_too_long_is_refused_at_once(
    env: simcord.Env, channel: simcord.ChannelHandle, alice: simcord.MemberActor, played: PlayedWorker
) -> None:
    await slow_down(played, 3600)
    first = await alice.slash(channel, "separate", clip=CLIP)
    assert first.response is not None
    refused = await alice.slash(channel, "separate", clip=CLIP)
    assert refused.ephemeral
    assert refused.response is not None
    assert "would wait for about 300 minutes" in refused.response.content
    assert len(await played.queue.jobs()) == 1
    assert len(env.errors) == 1
