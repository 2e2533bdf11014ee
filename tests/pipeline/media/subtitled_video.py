"""Videos with soft subtitles as `mux` writes them."""

from pathlib import Path

import av

from pipeline.media.mux import mux
from pipeline.media.probe import probe
from pipeline.media.sound.encoding import encode_aac
from tests.pipeline.clips import ffmpeg, make_click

OWN_SRT = "1\n00:00:00,333 --> 00:00:00,777\nThe clip's own words.\n"
CHAPTERS = (
    ";FFMETADATA1\ntitle=Storm = coast\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=One\n"
    "[CHAPTER]\nTIMEBASE=1/1000\nSTART=500\nEND=1000\ntitle=Two\n"
)


def make_subtitled(folder: Path, video: str, srt: Path | None, *, seconds: float = 1.0) -> Path:
    """A final video with B-frames, chapters, a second sound track and subtitles that the clip had itself."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tags").write_text(CHAPTERS)
    (folder / "own.srt").write_text(OWN_SRT)
    source = folder / "source.mkv"
    codec = ("-c:v", "libx264", "-bf", "2") if video.endswith("mp4") else ("-c:v", "libvpx")
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc=s=64x48:r=10:d={seconds}", "-f", "lavfi", "-i", f"sine=d={seconds}"),
        *("-f", "lavfi", "-i", f"sine=f=900:d={seconds}", "-i", folder / "own.srt", "-i", folder / "tags"),
        *("-map", "0", "-map", "1", "-map", "2", "-map", "3", "-map_metadata", "4", "-map_chapters", "4"),
        *(*codec, "-pix_fmt", "yuv420p", "-c:a", "aac", "-c:s", "subrip", "-metadata:s:a:1", "title=Commentary"),
        *("-metadata:s:s:0", "language=spa", source),
    )
    encode_aac(make_click(folder / "click.wav", at=0.4, seconds=seconds), folder / "click.m4a", duration=seconds)
    mux(source, probe(source), folder / "click.m4a", folder / video, language="eng", subtitles=srt)
    for used in ("source.mkv", "tags", "own.srt", "click.wav", "click.m4a"):
        (folder / used).unlink()
    return folder / video


def packets_of(path: Path) -> list[tuple[int, bytes, float, float]]:
    """Track, bytes and times of every packet of picture and sound."""
    with av.open(str(path)) as container:
        tracks = [stream for stream in container.streams if stream.type in ("video", "audio")]
        return sorted(
            (packet.stream.index, bytes(packet), float(packet.pts * packet.time_base), float(packet.duration or 0))
            for packet in container.demux(tracks)
            if packet.size and packet.pts is not None and packet.time_base is not None
        )


def described(path: Path) -> list[object]:
    """Tags of the file and of each track, and the chapters."""
    with av.open(str(path)) as container:
        tracks = [(each.type, dict(each.metadata), int(each.disposition)) for each in container.streams]
        times = [(float(each["start"] * (each["time_base"] or 0)), each["metadata"]) for each in container.chapters()]
        tags = {key: value for key, value in container.metadata.items() if key.lower() != "duration"}
        return [
            tags,
            [(kind, {k: v for k, v in found.items() if k != "DURATION"}, d) for kind, found, d in tracks],
            times,
        ]


def words_in(path: Path, track: int, folder: Path) -> str:
    """A track of subtitles as SRT."""
    ffmpeg("-i", path, "-map", f"0:s:{track}", folder / "back.srt")
    return (folder / "back.srt").read_text()
