"""All that the bot says to people; nothing is worded elsewhere but in the errors of the pipeline."""

from collections.abc import Mapping
from types import MappingProxyType

from pipeline.types import Preset, RouteName, Task

SEPARATE = "Take the sound of a clip apart into voice and background."
TRANSCRIBE = "Write down who says what in a clip."
REMIX = "Mix the voice and the background of a clip together again."
SEPARATE_THIS = "Separate this"
TRANSCRIBE_THIS = "Transcribe this"
REMIX_THIS = "Remix this"

OPTION_CLIP = "A video or sound file."
OPTION_ROUTE = "How to work on it; measured on the clip when left out."
OPTION_PRESET = "Which set of models to use."
OPTION_LANGUAGE = "What is spoken; found out when left out."
OPTION_SPEAKERS = "How many people speak; found out when left out."
OPTION_VOICE = "Loudness of the voice, 1.0 when left out, 0 for none."
OPTION_BACKGROUND = "Loudness of all else, 0.7 when left out, 0 for none."

ROUTES: Mapping[RouteName, str] = MappingProxyType(
    {
        RouteName.BASIC: "basic: only the plain sound track",
        RouteName.DIALOGUE: "dialogue: talk, interviews, calls",
        RouteName.CINEMATIC: "cinematic: film, TV, much music or noise",
    }
)
PRESETS: Mapping[Preset, str] = MappingProxyType(
    {Preset.POCKET: "pocket: small and quick", Preset.STUDIO: "studio: full models"}
)
TASKS: Mapping[Task, str] = MappingProxyType(
    {
        Task.SEPARATE: "Taken apart",
        Task.TRANSCRIBE: "Transcribed",
        Task.REMIX: "Mixed again",
        Task.ALL: "Taken apart, transcribed and mixed again",
    }
)
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
        "measure": "Measuring the loudness",
        "mix": "Mixing",
        "subtitles": "Writing subtitles",
        "report": "Drawing the picture",
    }
)

RECEIVING = "Receiving the clip …"
NEXT = "Waiting: next in the queue."
ONE_BEFORE = "Waiting: one clip is before this one."
BEFORE = "Waiting: {count} clips are before this one."
STARTING = "Starting …"
AGAIN = "The worker was lost; attempt {attempt} goes on where it stopped."
LEFT = "about {time} left"
CANCEL = "Cancel"

ASKED_BY = "for {person}"
ROUTE = "Route"
ROUTE_ASKED = "chosen by {person}"
SPEAKERS = "Speakers"
NOBODY = "nobody"
LANGUAGE = "Language"
DURATION = "Length"
LOUDNESS = "Loudness"
LOUDNESS_CHANGE = "{before:.1f} → {after:.1f} LUFS"
TRANSCRIPT = "Who said what"
NOTES = "Notes"
NOT_MADE = "Could not be made"
TOO_LARGE = "Too large for this place"
RESULT_FOR = "Here is the result for {person}."

CANCELLED = "Cancelled."
CANCELLED_TITLE = "Cancelled"
FAILED_TITLE = "Not done"
FAILED = "This clip could not be worked on; {person} was told why."
FAILED_WITH_REASON = "This clip could not be worked on: {reason}"
NOT_DONE = "Not done."

NO_CLIP = "This message has no video or sound file."
NO_CLIP_MEND = "Choose a message that has a clip attached to it."
NOT_YOURS = "Only the person who asked, or people who may manage messages here, can cancel this."
ENDED = "This job has already ended."

EMPTY_CLIP = "{name} is empty."
LARGE_CLIP = "{name} has {size}; at most {limit} are allowed."
NO_MEDIA = "{name} is no video or sound file."
WRONG_HOST = "The clip is not stored on Discord."
WRONG_HOST_MEND = "Upload the clip to Discord and try again."
CLIP_GONE = "The clip is no longer there."
CLIP_GONE_MEND = "Upload the clip again."
DOWNLOAD_FAILED = "The clip could not be fetched from Discord in time."
DOWNLOAD_MEND = "Try again in a minute."
DISK_FULL = "The bot has no room to receive the clip."

TRY_LATER = "Try again later; if it fails again, tell the people who run this bot."
QUEUE_AWAY = "The bot cannot reach its workers right now."
STORE_AWAY = "The bot cannot reach its storage right now."
MODELS_AWAY = "The models for this are not ready on this bot."
ATTEMPTS = "The clip was tried several times and failed each time."
UNKNOWN_ERROR = "Something went wrong in the bot (reference {reference})."
OPTION_ERROR = "{value} cannot be used for that option."
OPTION_MEND = "Choose one of the values that are offered."
OUT_OF_DATE = "This command has changed."
OUT_OF_DATE_MEND = "Reload Discord and try again."
LOST = "The job was removed before it ended."
