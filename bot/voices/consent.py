"""What a person agrees to before their voice is kept."""

from typing import Final

CONSENT_VERSION: Final = 1
"""Of the text `voice-consent` in all languages; raised with each change of its meaning, then people are asked anew."""
ENROLMENT_DAYS: Final = 365
"""After which a voice is deleted unless its person agrees again."""
