"""The stages that read what people send, each of which writes down how much memory it took."""

import functools
import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from pipeline.edits.stage import edit_transcript_stage
from pipeline.export.stage import subtitles_stage
from pipeline.graph.stage import FileT, NoParams, StageContext, StageOutput
from pipeline.media.stages import extract_stage, mux_stage, probe_stage
from pipeline.media.tools.stage import edit_clip_stage
from pipeline.mix.dub.compare import render_dub_comparison_stage
from pipeline.mix.dub.manifest import list_files, pack
from pipeline.mix.dub.stage import dub_stage
from pipeline.speech.speakers.stage import match_speakers_stage

PEAK_FILE = "peak"
InputsT = TypeVar("InputsT")
ParamsT = TypeVar("ParamsT")
OutputT = TypeVar("OutputT")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestInputs(Generic[FileT]):
    """A `dub.json` with files beside it."""

    manifest: FileT


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestOutput(StageOutput, Generic[FileT]):
    """What a manifest and its files are packed into."""

    packed: FileT


def watched(
    function: Callable[[StageContext, InputsT, ParamsT], OutputT],
) -> Callable[[StageContext, InputsT, ParamsT], OutputT]:
    """Have a stage write down, however it ends, the most memory that it or one of its programs had."""

    @functools.wraps(function)
    def run(context: StageContext, inputs: InputsT, params: ParamsT) -> OutputT:
        try:
            return function(context, inputs, params)
        finally:
            kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
            peak = max(resource.getrusage(kind).ru_maxrss for kind in kinds) * 1024
            context.out.with_name(PEAK_FILE).write_text(str(peak))

    return run


def pack_stage(context: StageContext, inputs: ManifestInputs[Path], params: NoParams) -> ManifestOutput[Path]:
    """Pack a manifest and the files beside it, as `stemcord run --dub dub.json` does."""
    list_files(inputs.manifest)
    packed = context.out / "dub.zip"
    pack(inputs.manifest, packed)
    return ManifestOutput(packed=packed)


probe = watched(probe_stage)
extract = watched(extract_stage)
mux = watched(mux_stage)
edit_clip = watched(edit_clip_stage)
dub = watched(dub_stage)
compare_dub = watched(render_dub_comparison_stage)
write_exports = watched(subtitles_stage)
apply_edits = watched(edit_transcript_stage)
match_voices = watched(match_speakers_stage)
pack_manifest = watched(pack_stage)
