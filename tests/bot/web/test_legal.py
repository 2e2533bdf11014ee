"""The terms and the privacy policy, filled in by the settings."""

from typing import Any

from bot.settings import BotSettings
from bot.web.legal import LegalPages


def privacy(**settings: Any) -> str:
    page = LegalPages(BotSettings(operator="Ann & Co", contact="ann@example.org", **settings)).render("privacy")
    assert page is not None
    assert "{" not in page
    return page


def test_a_language_model_is_named_where_there_is_one() -> None:
    assert "One exception" not in privacy()
    page = privacy(summary_url="https://user:password@models.example:8443/v1", summary_model="small")
    assert "sent to models.example:8443, where the language model small makes it" in page
    assert "password" not in page


def test_without_an_operator_there_is_no_page() -> None:
    assert LegalPages(BotSettings(operator="Ann")).render("privacy") is None
