"""The glossary of a server and, where it lets them be used, the names of its members, as they go with a clip."""

from dataclasses import replace

import structlog
from msgspec import UNSET, structs

from bot.database.glossaries import Glossaries
from bot.database.repository import Repository
from bot.error_handler import NETWORK_ERRORS
from bot.exceptions import RefusedError
from bot.glossary.server_members import ServerMembers
from worker.protocol import Job


class ServerGlossary:
    """Gives jobs the terms and people of the server that they were sent from."""

    def __init__(self, glossaries: Glossaries, repository: Repository, members: ServerMembers) -> None:
        self._glossaries = glossaries
        self._repository = repository
        self._members = members

    async def add_to(self, job: Job) -> Job:
        """Return a job with the terms and people of its server, unless its request has some."""
        guild_id = None if job.reply_to is None else job.reply_to.guild_id
        if guild_id is None or job.request.glossary_terms or job.request.people_names:
            return job
        terms, people = await self._glossaries.terms(guild_id), await self._people(guild_id)
        if not terms and not people:
            return job
        request = replace(job.request, glossary=terms or UNSET, people=people or UNSET)
        return structs.replace(job, request=request)

    async def use_members(self, guild_id: str, *, enabled: bool) -> int:
        """Turn the names of a server's members on or off; return how many there are, 0 when off.

        Raises:
            RefusedError: Discord does not tell this bot who is on the server.
            HTTPException: Discord does not answer.
            DatabaseError: The database is unavailable.

        """
        names = await self._members.names(guild_id) if enabled else ()
        settings = await self._repository.guild(guild_id)
        await self._repository.save_guild(replace(settings, member_names=enabled))
        return len(names)

    async def _people(self, guild_id: str) -> tuple[str, ...]:
        if not (await self._repository.guild(guild_id)).member_names:
            return ()
        try:
            return await self._members.names(guild_id)
        except (RefusedError, *NETWORK_ERRORS) as error:
            # A clip is worth more than the spelling of a name.
            structlog.get_logger(__name__).warning("member_names_missing", error=type(error).__name__)
            return ()
