"""Gains as people give them: a factor such as 0.7, or decibels such as -3 dB."""

from typing import Annotated

import pydantic

from pipeline.catalog import MAX_GAIN


def _decibels_to_linear(value: object) -> object:
    """Convert `-3 dB` to 0.708; return other values unchanged."""
    text = str(value).strip().lower().replace("\N{MINUS SIGN}", "-")
    if not isinstance(value, str) or not text.endswith("db"):
        return text if isinstance(value, str) else value
    try:
        return 10 ** (float(text.removesuffix("db")) / 20)
    except (ValueError, OverflowError) as error:
        raise ValueError("is not a gain such as 0.7 or -3 dB") from error


def _within_bounds(gain: float) -> float:
    if not 0.0 <= gain <= MAX_GAIN:
        raise ValueError(f"should be from 0 to {MAX_GAIN:g} (12 dB), or in decibels such as -3 dB")
    return gain


Gain = Annotated[
    float,
    pydantic.BeforeValidator(_decibels_to_linear),
    pydantic.Field(allow_inf_nan=False),
    pydantic.AfterValidator(_within_bounds),
]
"""A linear gain, also given in decibels."""
