import pytest

from pipeline.errors import ValidationError
from pipeline.export.subtitles.style import SubtitleStyle
from pipeline.mix.presets import Ducking, LoudnessTarget, MixPreset
from pipeline.options import REQUEST_OPTIONS, SUBTITLE_OPTIONS, Limits, parse_request, parse_subtitle_style
from pipeline.types import Budget, Preset, Request, RouteName, Task


def test_defaults_are_the_seeds() -> None:
    request = parse_request({})
    assert request == Request()
    assert (request.voice, request.background) == (1.0, 0.7)


def test_text_from_a_command_line_is_understood() -> None:
    options = {"task": "remix", "route": "auto", "preset": "studio", "budget": "low", "language": "zh", "speakers": "3"}
    assert parse_request({**options, "voice": "0.5"}) == Request(
        task=Task.REMIX, preset=Preset.STUDIO, budget=Budget.LOW, language="zh", speakers=3, voice=0.5
    )
    assert parse_request({"route": "cinematic"}).route is RouteName.CINEMATIC


def test_auto_leaves_the_choice_open() -> None:
    assert parse_request({"route": "auto", "language": "auto", "speakers": "auto"}) == Request()


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("task", "everything"),
        ("route", "film"),
        ("language", "klingon"),
        ("speakers", 0),
        ("speakers", 99),
        ("min_speakers", 0),
        ("max_speakers", "many"),
        ("voice", -1),
        ("voice", "nan"),
        ("background", 1000),
        ("colour", "red"),
        ("voice", "-3"),
        ("voice", "loud dB"),
        ("voice", "nan dB"),
        ("music", "20 dB"),
        ("mix", "loud"),
        ("dub_stretch", 41),
        ("dub_stretch", "-1"),
        ("keep_vocals", "perhaps"),
        ("loudness", "-14"),
        ("duck", -9),
        ("duck_attack", 0),
        ("speaker_gains", {"S1": 1000}),
    ],
)
def test_a_value_that_cannot_be_used_is_named_in_one_sentence(option: str, value: object) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_request({option: value})
    assert option in caught.value.message
    assert caught.value.message.endswith(".")
    assert "\n" not in str(caught.value)


def test_the_number_of_speakers_can_be_bounded() -> None:
    request = parse_request({"min_speakers": "2", "max_speakers": 4})
    assert (request.speakers, request.min_speakers, request.max_speakers) == (None, 2, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_speakers": 4, "max_speakers": 2}, "less than min_speakers, which is 4"),
        ({"speakers": 3, "max_speakers": 4}, "max_speakers cannot be used: the exact number"),
        ({"speakers": 3, "min_speakers": 2}, "min_speakers cannot be used: the exact number"),
    ],
)
def test_bounds_that_contradict_are_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        parse_request(options)


@pytest.mark.parametrize(
    ("given", "gain"), [("0.7", 0.7), ("-3 dB", 0.70795), ("\N{MINUS SIGN}6dB", 0.50119), ("0 DB", 1.0), (0, 0.0)]
)
def test_gains_are_linear_or_in_decibels(given: object, gain: float) -> None:
    assert parse_request({"voice": given}).voice == pytest.approx(gain, abs=1e-5)


def test_a_preset_is_a_start_and_what_is_given_wins() -> None:
    podcast = parse_request({"mix": "podcast"})
    assert (podcast.background, podcast.loudness, podcast.ducking) == (0.5, LoudnessTarget.PODCAST, Ducking(depth=9.0))
    given = parse_request({"mix": "podcast", "background": 0.9, "loudness": "none", "duck": 6, "duck_attack": 0.1})
    assert (given.background, given.loudness, given.ducking) == (0.9, None, Ducking(depth=6.0, attack=0.1))
    assert parse_request({"mix": "podcast", "duck": 0}).ducking is None
    assert parse_request({"mix": "karaoke"}).voice == 0.0


def test_formats_and_subtitles_are_asked_for() -> None:
    request = parse_request({"formats": ["wav", "mp3"], "soft_subtitles": True})
    assert request.formats == ("wav", "mp3")
    assert request.soft_subtitles
    assert parse_request({"speaker_stems": True}).wants_speaker_stems
    assert not parse_request({}).wants_speaker_stems
    with pytest.raises(ValidationError, match="option formats"):
        parse_request({"formats": ["exe"]})


def test_a_dub_may_be_stretched_by_so_much_and_keep_vocals_or_not() -> None:
    assert (parse_request({}).dub_stretch, parse_request({}).keep_vocals) == (12.0, None)
    given = parse_request({"dub_stretch": "0", "keep_vocals": False})
    assert (given.dub_stretch, given.keep_vocals) == (0.0, False)
    assert parse_request({"keep_vocals": "auto"}).keep_vocals is None


def test_the_table_knows_choices_limits_and_defaults() -> None:
    assert REQUEST_OPTIONS["route"].choices == tuple(RouteName)
    assert REQUEST_OPTIONS["mix"].choices == tuple(MixPreset)
    assert REQUEST_OPTIONS["loudness"].choices == tuple(LoudnessTarget)
    assert REQUEST_OPTIONS["language"].choices == ()
    assert REQUEST_OPTIONS["speakers"].limits == Limits(1, 20)
    assert REQUEST_OPTIONS["voice"].limits == Limits(0.0, 4.0)
    assert REQUEST_OPTIONS["names"].flag is None


def test_limits_and_choices_are_those_that_are_checked() -> None:
    for name, option in REQUEST_OPTIONS.items():
        for choice in option.choices:
            parse_request({name: (choice,) if name == "formats" else choice})
        if option.limits is not None:
            parse_request({name: option.limits.minimum})
            parse_request({name: option.limits.maximum})
            for outside in (option.limits.minimum - 1, option.limits.maximum + 1):
                with pytest.raises(ValidationError, match=f"option {name}"):
                    parse_request({name: outside})


def test_what_the_command_line_shows_as_default_is_the_default() -> None:
    shown = {name: option.flag.default for name, option in REQUEST_OPTIONS.items() if option.flag}
    assert parse_request({name: value for name, value in shown.items() if value is not None}) == Request()
    style = {name: option.flag.default for name, option in SUBTITLE_OPTIONS.items() if option.flag}
    assert parse_subtitle_style(style) == SubtitleStyle()
