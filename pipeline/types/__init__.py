"""The words the whole project speaks: requests, clips, stems, turns, results.

Nothing heavier than msgspec is imported here, so that the bot can use these types
without loading a sound library. Times are seconds on the clip's own clock.
"""

from pipeline.types.media import (
    Artefact,
    AudioStream,
    Loudness,
    MediaInfo,
    SoundFormat,
    SoundTrack,
    StemName,
    VideoStream,
)
from pipeline.types.request import BackgroundParts, Budget, Preset, Request, RouteName, Task
from pipeline.types.result import Failure, JsonValue, ModelUse, Progress, Rejected, Result, Route, StageTiming
from pipeline.types.speech import Diarization, Recognition, Speaker, SpeakerSegment, Transcript, Turn, Word

__all__ = [
    "Artefact",
    "AudioStream",
    "BackgroundParts",
    "Budget",
    "Diarization",
    "Failure",
    "JsonValue",
    "Loudness",
    "MediaInfo",
    "ModelUse",
    "Preset",
    "Progress",
    "Recognition",
    "Rejected",
    "Request",
    "Result",
    "Route",
    "RouteName",
    "SoundFormat",
    "SoundTrack",
    "Speaker",
    "SpeakerSegment",
    "StageTiming",
    "StemName",
    "Task",
    "Transcript",
    "Turn",
    "VideoStream",
    "Word",
]
