"""The settings of metrics and traces, which the bot and the workers share."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings


class TelemetrySettings(BaseSettings):
    """Fields that the settings of every process have; both are off by default."""

    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Port on which this process shows its metrics to Prometheus; 0: it shows none."""
    metrics_host: str = "127.0.0.1"
    """Address on which it does so."""
    traces_url: str = ""
    """Where traces go: an OTLP/HTTP receiver such as `http://collector:4318`, or `file:///folder/traces.jsonl`."""

    @field_validator("traces_url")
    @classmethod
    def _check_traces_url(cls, value: str) -> str:
        parts = urlsplit(value)
        is_file = parts.scheme == "file" and not parts.netloc and len(parts.path) > 1
        if value and not is_file and not (parts.scheme in ("http", "https") and parts.hostname):
            raise ValueError("it must look like http://collector:4318 or file:///folder/traces.jsonl")
        return value.rstrip("/")
