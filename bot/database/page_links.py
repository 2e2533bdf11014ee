"""Links to the pages of results. Every method raises `DatabaseError`."""

import secrets
import time
from dataclasses import asdict

from sqlalchemy import insert, select, update

from bot.database.engine import Database
from bot.database.mapping import link_from_row
from bot.database.messages import jobs_of_message, newest_result, submitted_job
from bot.database.models import LinkedResult, PageLink
from bot.database.speaker_names import names_of
from bot.database.tables import LINKS


class PageLinks:
    """Creates, resolves and revokes links."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, job_id: str, by: str, lifetime_s: float = 86400.0) -> PageLink:
        """Create a link to the result of a job.

        Args:
            job_id: The job.
            by: Id of the person who asks for the link.
            lifetime_s: How long the link works.

        """
        link = PageLink(id=secrets.token_urlsafe(24), job_id=job_id, created_by=by, expires=time.time() + lifetime_s)
        async with self._database.transaction() as connection:
            await connection.execute(insert(LINKS).values(asdict(link)))
        return link

    async def resolve(self, link_id: str) -> LinkedResult | None:
        """Return a link, also a revoked or expired one, with what its message shows now: a result or a running job.

        None for an unknown link.
        """
        async with self._database.transaction() as connection:
            row = (await connection.execute(select(LINKS).where(LINKS.c.id == link_id))).one_or_none()
            if row is None:
                return None
            link = link_from_row(row)
            record = await newest_result(connection, link.job_id)
            if record is None:
                return LinkedResult(link=link, record=await submitted_job(connection, link.job_id))
            given = await names_of(connection, record.id)
            return LinkedResult(
                link=link, record=record, names={key: each.name for key, each in given.items() if each.name}
            )

    async def revoke(self, job_id: str) -> int:
        """Revoke every link to what the job's message shows; return how many still worked."""
        async with self._database.transaction() as connection:
            jobs = await jobs_of_message(connection, job_id)
            held = LINKS.c.job_id.in_(jobs) & LINKS.c.revoked.is_(False) & (LINKS.c.expires > time.time())
            return (await connection.execute(update(LINKS).where(held).values(revoked=True))).rowcount
