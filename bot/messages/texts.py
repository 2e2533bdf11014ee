"""What the stages are called on a terminal; Discord's people read `bot/locales`."""

from collections.abc import Mapping
from types import MappingProxyType

STAGES: Mapping[str, str] = MappingProxyType(
    {
        "probe": "Reading the clip",
        "extract": "Extracting the sound",
        "route": "Choosing the route",
        "separate": "Taking the sound apart",
        "prepare_speech": "Preparing the speech",
        "diarize": "Telling the speakers apart",
        "transcribe": "Writing down the words",
        "align": "Giving words to speakers",
        "embed_speakers": "Describing the voices",
        "match_speakers": "Looking for known voices",
        "measure": "Measuring the loudness",
        "dub": "Fitting the dub",
        "render_dub_comparison": "Comparing the dub with the original",
        "mix": "Mixing",
        "mux": "Joining sound and picture",
        "subtitles": "Writing subtitles",
        "report": "Drawing the picture",
        "compress": "Making smaller copies",
    }
)
