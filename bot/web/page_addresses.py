"""Addresses of pages for the people who press the button: made, and taken back."""

from bot.components.result_actions import PageAddress
from bot.database.page_links import PageLinks
from bot.web.signed_links import PageToken, TokenSigner, page_url


class PageAddresses:
    """The `bot.components.result_actions.Pages` of a bot that serves pages under `public_url`."""

    def __init__(self, links: PageLinks, signer: TokenSigner, *, public_url: str, hours: float) -> None:
        self._links = links
        self._signer = signer
        self._public_url = public_url
        self._hours = hours

    async def create(self, job_id: str, user_id: str) -> PageAddress:
        """A new address; who may ask for one may also rename speakers, as long as that right lasts."""
        link = await self._links.create(job_id, user_id, self._hours * 3600)
        token = self._signer.sign(PageToken(link_id=link.id, expires=int(link.expires), edit=True))
        return PageAddress(url=page_url(self._public_url, token), expires=int(link.expires))

    async def revoke(self, job_id: str) -> int:
        """Take back every address of the result, whoever made it; how many still held."""
        return await self._links.revoke(job_id)
