"""The terms of use and the privacy policy: templates of `docs`, or the operator's own files, as pages."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from markdown_it import MarkdownIt

from bot.settings import BotSettings

TEMPLATES: Final = Path(__file__).parents[2] / "docs"
DOCUMENTS: Final[Mapping[str, str]] = MappingProxyType({"terms": "terms.md", "privacy": "privacy.md"})
"""Files by the last part of their address."""

_SUMMARY: Final = (
    "One exception: when whoever asked for a result, or a moderator who sees it, asks for its summary, the words and "
    "names of its transcript are sent to {host}, where the language model {model} makes it. The bot keeps summaries in "
    "memory for a day at most; when somebody deletes their data, it forgets all of them."
)


class LegalPages:
    """Fills in and renders the documents.

    Args:
        settings: Name the operator; a file of the same name under home takes the place of a template.

    """

    def __init__(self, settings: BotSettings) -> None:
        self._own = settings.home.expanduser()
        self._values = {
            "operator": settings.operator,
            "contact": settings.contact,
            "days": str(settings.retention_days),
            "summary": _SUMMARY.format(host=settings.summary_host, model=settings.summary_model)
            if settings.summary_url
            else "",
        }

    @property
    def is_complete(self) -> bool:
        """Tell whether the operator is named; nothing is served without."""
        return bool(self._values["operator"] and self._values["contact"])

    def render(self, name: str) -> str | None:
        """Return a document as HTML; None when there is none. Raises `OSError`."""
        if name not in DOCUMENTS or not self.is_complete:
            return None
        own = self._own / DOCUMENTS[name]
        text = (own if own.is_file() else TEMPLATES / DOCUMENTS[name]).read_text(encoding="utf-8")
        for key, value in self._values.items():
            text = text.replace(f"{{{key}}}", value)
        return MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
