"""Converts between rows of the tables and models."""

from typing import Any

import msgspec
from msgspec import structs
from sqlalchemy import Row

from bot.database.models import GuildSettings, JobRecord, PageLink, StoredStatus
from pipeline.types import Preset, Result
from worker.protocol import Job, decode_job, encode


def guild_from_row(row: Row[Any]) -> GuildSettings:
    """Build the settings of a server."""
    return GuildSettings(
        guild_id=row.guild_id,
        # A preset of a newer version counts as none.
        preset=Preset(row.preset) if row.preset in list(Preset) else None,
        language=row.language,
        max_duration=row.max_duration,
        jobs_at_once=row.jobs_at_once,
        minutes_per_day_person=row.minutes_per_day_person,
        minutes_per_day_guild=row.minutes_per_day_guild,
        roles=tuple(row.roles),
        retention_days=row.retention_days,
        member_names=bool(row.member_names),
    )


def job_from_row(row: Row[Any]) -> JobRecord:
    """Build a job."""
    return JobRecord(
        id=row.id,
        guild_id=row.guild_id,
        channel_id=row.channel_id,
        message_id=row.message_id,
        user_id=row.user_id,
        job=decode_job(row.job),
        status=StoredStatus(row.status),
        created=row.created,
        ended=row.ended,
        seconds=row.seconds,
        result=None if row.result is None else msgspec.json.decode(row.result, type=Result),
    )


def link_from_row(row: Row[Any]) -> PageLink:
    """Build a link."""
    return PageLink(
        id=row.id, job_id=row.job_id, created_by=row.created_by, expires=row.expires, revoked=bool(row.revoked)
    )


def pack_job(job: Job) -> bytes:
    """Encode a job without its interaction token, which is a secret and expires soon."""
    reply = job.reply_to
    if reply is not None:
        reply = structs.replace(reply, interaction_token="", interaction_expires=0.0)
    return encode(structs.replace(job, reply_to=reply))
