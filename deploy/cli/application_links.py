"""Asks Discord which links the application of the bot names."""

import json
import urllib.request
from typing import Final

TIMEOUT_S: Final = 8.0
USER_AGENT: Final = "DiscordBot (https://stemcord.example, 1)"
"""The form that Discord asks for: https://discord.com/developers/docs/reference#user-agent"""
FIELDS: Final = {"terms": "terms_of_service_url", "privacy": "privacy_policy_url"}


def missing_links(token: str) -> list[str]:
    """Return which of `terms` and `privacy` the application does not name.

    Raises:
        OSError: Discord cannot be reached or refuses the token.
        ValueError: The answer is no JSON.

    """
    from discord.http import Route

    headers = {"Authorization": f"Bot {token}", "User-Agent": USER_AGENT}
    request = urllib.request.Request(f"{Route.BASE}/applications/@me", headers=headers)  # noqa: S310 - of Discord
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - likewise
        application = json.load(answer)
    return [name for name, field in FIELDS.items() if not application.get(field)]
