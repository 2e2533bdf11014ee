"""Typed inputs and outputs survive the way through JSON."""

from dataclasses import dataclass
from pathlib import Path
from typing import Generic

import msgspec
import pytest

from pipeline.graph.codec import decode_output, decode_params, encode_output, encode_params, files_of, inputs_from
from pipeline.graph.stage import FileT, StageOutput
from pipeline.mix.contracts import MixInputs, MixOutput, MixParams
from pipeline.separation.contracts import SEPARATE, SeparateOutput, StemFiles
from pipeline.types import Artefact, Loudness, SoundFormat, StemName


def artefact(name: str) -> Artefact:
    return Artefact(name=name, digest=name.encode().hex(), size=1, media_type="audio/flac")


def test_files_of_a_nested_dataclass_stand_beside_the_others() -> None:
    stems = StemFiles(vocals=artefact("vocals.flac"), background=artefact("background.flac"))
    files = files_of(MixInputs(sound=artefact("master.flac"), stems=stems), Artefact)
    assert {field: file.name for field, file in files.items()} == {
        "sound": "master.flac",
        "vocals": "vocals.flac",
        "background": "background.flac",
    }


def test_inputs_are_built_from_files_and_what_is_absent_is_none() -> None:
    inputs = inputs_from(MixInputs[Path], {"sound": Path("a.flac"), "vocals": Path("b.flac")})
    assert inputs == MixInputs(sound=Path("a.flac"), stems=StemFiles(vocals=Path("b.flac")))
    assert [stem for stem, _ in inputs.stems] == [StemName.VOCALS]


def test_parameters_come_back_as_they_were() -> None:
    params = MixParams(
        voice=1.0,
        background=0.7,
        stem_gains={StemName.MUSIC: 0.5},
        formats=(SoundFormat.FLAC,),
        original=Loudness(integrated=-20.0, peak=-1.0),
    )
    assert decode_params(MixParams, encode_params(params)) == params


def test_an_output_comes_back_with_artefacts_for_its_files(tmp_path: Path) -> None:
    made = MixOutput(
        mix=tmp_path / "final.m4a",
        others=(tmp_path / "final.wav",),
        loudness={"final": Loudness(integrated=-20.0, peak=None)},
        notes=("fine",),
    )
    kept = {name: artefact(name) for name in ("final.m4a", "final.wav")}
    again = decode_output(encode_output(made, tmp_path), kept, MixOutput[Artefact])
    assert again == MixOutput(
        mix=kept["final.m4a"], others=(kept["final.wav"],), loudness=made.loudness, notes=("fine",)
    )


def test_an_output_of_another_contract_is_refused(tmp_path: Path) -> None:
    data = encode_output(SeparateOutput(stems=StemFiles(vocals=tmp_path / "vocals.flac")), tmp_path)
    with pytest.raises(KeyError, match=r"vocals\.flac"):
        decode_output(data, {}, SEPARATE.output)
    with pytest.raises(msgspec.ValidationError):
        decode_output(data, {"vocals.flac": artefact("vocals.flac")}, MixOutput[Artefact])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Holder(StageOutput, Generic[FileT]):
    file: FileT


def test_a_file_outside_of_the_folder_of_output_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not in the subpath"):
        encode_output(_Holder(file=Path("/etc/passwd")), tmp_path)
