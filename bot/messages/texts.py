"""What the stages are called on a terminal; Discord's people read `bot/locales`."""

from collections.abc import Mapping
from types import MappingProxyType

STAGES: Mapping[str, str] = MappingProxyType(
    {
        "probe": "Reading the clip",
        "extract": "Extracting the sound",
        "route": "Choosing the route",
        "separate": "Taking the sound apart",
        "listen": "Preparing the speech",
        "diarize": "Telling the speakers apart",
        "transcribe": "Writing down the words",
        "align": "Giving words to speakers",
        "voices": "Describing the voices",
        "identify": "Looking for known voices",
        "measure": "Measuring the loudness",
        "dub": "Fitting the dub",
        "compare": "Comparing the dub with the original",
        "mix": "Mixing",
        "join": "Joining sound and picture",
        "subtitles": "Writing subtitles",
        "report": "Drawing the picture",
        "shrink": "Making smaller copies",
    }
)
