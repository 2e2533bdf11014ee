"""What the tests of pages share."""

from tests.bot.web.edited_page import edited

__all__ = ["edited"]
