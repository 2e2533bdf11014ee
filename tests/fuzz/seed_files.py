"""Small sound files and videos in all containers that are taken, made by one ffmpeg."""

import subprocess
import tempfile
from pathlib import Path

import imageio_ffmpeg

SECONDS = "0.4"
_PICTURE, _SOUND, _WORDS = "0:v", "1:a", "2:s"
_SUBTITLES = "1\n00:00:00,000 --> 00:00:00,300\nHello\n"
_MPEG4 = ("-c:v", "mpeg4", "-g", "2")
_H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-threads:v", "1", "-bf", "1")

_RECIPES: dict[str, tuple[str, ...]] = {
    "h264.mp4": (_PICTURE, _SOUND, *_H264, "-c:a", "aac", "-movflags", "+faststart"),
    "fragmented.mp4": (_PICTURE, _SOUND, *_MPEG4, "-c:a", "aac", "-movflags", "+frag_keyframe+empty_moov"),
    "tracks.mp4": (_PICTURE, _SOUND, _SOUND, _WORDS, *_MPEG4, "-c:a", "aac", "-c:s", "mov_text"),
    "pcm.mov": (_PICTURE, _SOUND, *_MPEG4, "-c:a", "pcm_s16be", "-timecode", "01:00:00:00"),
    "alac.m4a": (_SOUND, "-c:a", "alac"),
    "flac.mkv": (_PICTURE, _SOUND, _WORDS, *_H264, "-c:a", "flac", "-c:s", "srt"),
    "vp8.webm": (_PICTURE, _SOUND, "-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"),
    "mp3.avi": (_PICTURE, _SOUND, *_MPEG4, "-c:a", "libmp3lame"),
    "pcm.avi": (_PICTURE, _SOUND, "-c:v", "mjpeg", "-c:a", "pcm_s16le"),
    "mpeg2.ts": (_PICTURE, _SOUND, "-c:v", "mpeg2video", "-c:a", "mp2"),
    "h264.ts": (_PICTURE, _SOUND, *_H264, "-c:a", "aac"),
    "flv1.flv": (_PICTURE, _SOUND, "-c:v", "flv1", "-c:a", "libmp3lame", "-ar", "22050"),
    "h263.3gp": (
        _PICTURE,
        _SOUND,
        "-c:v",
        "h263",
        "-s",
        "128x96",
        "-c:a",
        "libopencore_amrnb",
        "-ar",
        "8000",
        "-ac",
        "1",
    ),
    "mpeg1.mpg": (_PICTURE, _SOUND, "-c:v", "mpeg1video", "-c:a", "mp2", "-f", "mpeg"),
    "vorbis.ogg": (_SOUND, "-c:a", "libvorbis"),
    "opus.opus": (_SOUND, "-c:a", "libopus"),
    "flac.oga": (_SOUND, "-c:a", "flac", "-f", "ogg"),
    "pcm.wav": (_SOUND, "-c:a", "pcm_s16le"),
    "float.wav": (_SOUND, "-c:a", "pcm_f32le", "-ac", "6", "-ar", "8000"),
    "adpcm.wav": (_SOUND, "-c:a", "adpcm_ms"),
    "pcm.w64": (_SOUND, "-c:a", "pcm_s16le"),
    "pcm.caf": (_SOUND, "-c:a", "pcm_s16be"),
    "alac.caf": (_SOUND, "-c:a", "alac"),
    "pcm.aiff": (_SOUND, "-c:a", "pcm_s16be"),
    "mp3.mp3": (_SOUND, "-c:a", "libmp3lame"),
    "adts.aac": (_SOUND, "-c:a", "aac"),
    "latm.ts": (_SOUND, "-c:a", "aac", "-mpegts_flags", "+latm"),
    "amr.amr": (_SOUND, "-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1"),
    "flac.flac": (_SOUND, "-c:a", "flac"),
    "mulaw.au": (_SOUND, "-c:a", "pcm_mulaw"),
    "ac3.ac3": (_SOUND, "-c:a", "ac3"),
    "eac3.eac3": (_SOUND, "-c:a", "eac3"),
    "dca.dts": (_SOUND, "-c:a", "dca", "-strict", "-2"),
    "wavpack.wv": (_SOUND, "-c:a", "wavpack"),
    "tta.tta": (_SOUND, "-c:a", "tta"),
    "speech.flac": (_SOUND, "-c:a", "flac", "-ar", "16000", "-ac", "1"),
    "mix.m4a": (_SOUND, "-c:a", "aac"),
}
"""The tracks and the coding of each file, by its name; stages are given the last two beside what is sent, too."""
VOCALS, MIX = "speech.flac", "mix.m4a"


def make_seeds() -> dict[str, bytes]:
    """Make all files; the same ones each time."""
    with tempfile.TemporaryDirectory(prefix="fuzz-seeds-") as name:
        folder = Path(name)
        words = folder / "words.srt"
        words.write_text(_SUBTITLES)
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y"]
        command += ["-f", "lavfi", "-i", f"testsrc=size=32x32:rate=25:duration={SECONDS}"]
        # Two channels that differ, from 44.1 kHz: a tone and its octave.
        tones = "0.4*sin(2*PI*220*t)|0.3*sin(2*PI*440*t)"
        command += ["-f", "lavfi", "-i", f"aevalsrc={tones}:s=44100:d={SECONDS}", "-i", str(words)]
        for file, recipe in _RECIPES.items():
            tracks = [part for part in recipe if part in (_PICTURE, _SOUND, _WORDS)]
            command += [part for track in tracks for part in ("-map", track)]
            command += [*recipe[len(tracks) :], "-map_metadata", "-1", "-fflags", "+bitexact", "-flags", "+bitexact"]
            command += ["-metadata", "title=A title", str(folder / file)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return {file: (folder / file).read_bytes() for file in _RECIPES}
