"""The page of what a tool made of a clip."""

from dataclasses import replace

import pytest

from bot.i18n.translator import Translator
from bot.web.pages import PageContext, PageRenderer, player_media
from bot.web.sources.base import PageData
from pipeline.types import (
    NO_SOUND,
    Artefact,
    ChangeRate,
    ClipTool,
    Cut,
    MakeLoop,
    Request,
    Route,
    RouteName,
    TakeSound,
    Task,
    VideoStream,
)
from tests.bot.world import make_result

CLIP = Artefact(name="clip.mp4", digest="0" * 64, size=10, media_type="video/mp4")
PICTURE = VideoStream(codec="h264", width=64, height=48, frame_rate=25)


def data_of(tool: ClipTool, name: str, media_type: str) -> PageData:
    made = Artefact(name=name, digest="1" * 64, size=10, media_type=media_type)
    plain = make_result(Request(task=Task.CLIP, tool=tool))
    media = replace(plain.media, video=PICTURE, audio=NO_SOUND)
    route = Route(name=RouteName.BASIC, engine="ffmpeg", model=None, reason="", asked=True)
    result = replace(plain, artefacts=(made,), media=media, route=route, speakers=(), language=None, loudness={})
    return PageData(title="clip", result=result, clip=CLIP)


@pytest.mark.parametrize(
    ("data", "played"),
    [
        (data_of(Cut(end=1), "cut.mp4", "video/mp4"), ("files/cut.mp4", "video")),
        (data_of(ChangeRate(rate=24), "fps.mp4", "video/mp4"), ("files/fps.mp4", "video")),
        (data_of(TakeSound(), "sound.mp3", "audio/mpeg"), ("files/sound.mp3", "audio")),
        (data_of(MakeLoop(), "loop.gif", "image/gif"), ("files/clip.mp4", "video")),
    ],
)
def test_it_plays_what_was_made_and_offers_it(data: PageData, played: tuple[str, str]) -> None:
    assert player_media(data) == played
    html = PageRenderer().result(data, PageContext(translator=Translator("en"), base="", nonce="n"))
    assert f'files/{data.result.artefacts[0].name}?save"' in html
