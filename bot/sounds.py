"""What is done with a sound file in a limited process: decoded, cut where it is quiet, made smaller. The process: `media_worker.py`.

It imports the standard library only, and PyAV once the limits stand.
"""

from __future__ import annotations

import io
from array import array
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import av.container
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream

RATE = 16_000
"""Samples a second that speech models take."""

FORMATS = "ogg,matroska,webm,mov,mp4,m4a,mp3,wav,flac,aac,amr"
"""FFmpeg's demuxers that may run; playlists and others that open further files are not among them."""

CODECS = (
    "opus,libopus,vorbis,speex,flac,alac,aac,mp3,mp3float,mp2,mp2float,amrnb,amrwb,libopencore_amrnb,libopencore_amrwb,"
    "pcm_u8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_alaw,pcm_mulaw,"
    "adpcm_ms,adpcm_ima_wav,gsm_ms"
)
"""FFmpeg's decoders that may run: what phones, browsers and recorders write into those formats."""

LOWEST_RATE = 4_000
"""A file that claims less is a trap: at 1 Hz a kilobyte lasts a quarter of an hour."""

HOP = RATE // 50
"""Loudness is measured over 20 ms."""

HUSH = 15
"""A cut falls into the middle of this many of the softest hops (0.3 s): about the pause between two phrases."""

OPUS_RATE = 48_000
"""Samples a second that Opus takes."""

BITS = (128_000, 64_000, 32_000, 16_000)
"""Bits a second of Opus: music as it was, music over a radio, speech, speech over a telephone."""

STEREO = 64_000
"""Bits a second from which on two channels sound better than one."""


class Fault(Exception):  # noqa: N818  what is wrong with the file, not with the program
    """The file is at fault; the word is one of those that `media.py` has a sentence for."""


class Source(Protocol):
    """A file that can seek."""

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, fewer only at the end."""

    def seek(self, offset: int, whence: int = 0) -> int:
        """As of a file."""

    def tell(self) -> int:
        """Where the next read begins."""


def opened(source: Source) -> tuple[av.container.InputContainer, AudioStream]:
    """The container and its first sound track. Raises Fault."""
    import av

    if not source.read(1):
        raise Fault("empty")
    source.seek(0)
    options = {"format_whitelist": FORMATS, "codec_whitelist": CODECS, "protocol_whitelist": "pipe"}
    try:
        container = av.open(source, mode="r", metadata_errors="ignore", options=options)
    except av.error.FFmpegError as error:
        raise (error if isinstance(error, MemoryError) else Fault("unknown")) from error
    if not container.streams.audio:
        raise Fault("mute")
    stream = container.streams.audio[0]
    if stream.codec_context is None or stream.codec_context.codec.name not in CODECS.split(","):
        raise Fault("codec")
    stream.codec_context.thread_count = 1
    return container, stream


def frames(container: av.container.InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """Decodes; packets that cannot be are left out, as every player does, unless they are most of the file."""
    import av

    good = bad = 0
    packets = container.demux(stream)
    while True:
        try:
            decoded = next(packets).decode()
        except (StopIteration, av.error.EOFError):
            break
        except MemoryError:
            raise
        except av.error.FFmpegError:
            bad += 1
            continue
        good += bool(decoded)
        yield from decoded
    if bad > good or not good:
        raise Fault("damaged")


def samples(decoded: Iterable[AudioFrame], seconds: float) -> Iterator[bytes]:
    """16 kHz mono 16-bit samples. Raises Fault beyond `seconds`."""
    for made in alike(decoded, "mono", RATE, seconds):
        yield bytes(made.planes[0])[: made.samples * 2]


def alike(decoded: Iterable[AudioFrame], layout: str, rate: int, seconds: float) -> Iterator[AudioFrame]:
    """16-bit frames of one layout and rate. A track may change its rate or channels on the way. Raises Fault beyond `seconds`."""
    import av

    shape: tuple[str, str, int] | None = None
    resampler = av.AudioResampler(format="s16", layout=layout, rate=rate)
    left = int(seconds * rate)
    for frame in decoded:
        if frame.sample_rate < LOWEST_RATE:
            raise Fault("damaged")
        found = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape not in (None, found):
            yield from resampler.resample(None)  # what it still holds
            resampler = av.AudioResampler(format="s16", layout=layout, rate=rate)
        shape = found
        frame.pts = None  # damaged files have times that run backwards
        for made in resampler.resample(frame):
            left -= made.samples
            if left < 0:
                raise Fault("long")
            yield made
    yield from resampler.resample(None)


def clips(pieces: Iterable[bytes], longest: float, after: float = 0.0) -> Iterator[tuple[int, array[int]]]:
    """(start, samples) of clips that are at most `longest` seconds long and end where it is quiet."""
    held, start, most, first = array("h"), 0, int(longest * RATE), round(after * RATE)
    for piece in pieces:
        held.frombytes(piece)
        if start < first:
            left_out = min(first - start, len(held))
            del held[:left_out]
            start += left_out
        while len(held) > most:
            end = quiet(held, most)
            yield start, held[:end]
            del held[:end]
            start += end
    if held:
        yield start, held


def quiet(held: array[int], most: int) -> int:
    """The middle of the softest moment in the second half of the first `most` samples; of equal ones the last."""
    first = most // 2
    hops = [sum(map(abs, held[at : at + HOP])) for at in range(first, most - HOP + 1, HOP)]
    width = min(HUSH, len(hops))
    if not width:
        return most
    sums = [0, *accumulate(hops)]
    best = min(range(len(hops) - width + 1), key=lambda at: (sums[at + width] - sums[at], -at))
    return first + (best * 2 + width) * HOP // 2


def flac(clip: array[int]) -> bytes:
    """The samples as a FLAC file."""
    import av

    out = io.BytesIO()
    with av.open(out, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=RATE, layout="mono", format="s16")
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(clip))
        frame.sample_rate, frame.pts = RATE, 0
        memoryview(frame.planes[0])[: len(clip) * 2] = clip.tobytes()
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def fitted(source: Source, most: int, seconds: float) -> bytes:
    """An Ogg file of at most `most` bytes, as good as it can be. Raises Fault, also beyond `seconds`."""
    for bits in BITS:
        source.seek(0)
        container, stream = opened(source)
        if (container.duration or 0) / 1_000_000 * bits / 8 > 2 * most:  # what a file says of itself saves time, and decides nothing
            continue
        layout = "stereo" if bits >= STEREO and stream.codec_context.channels > 1 else "mono"
        made = opus(alike(frames(container, stream), layout, OPUS_RATE, seconds), layout, bits, most)
        if made:
            return made
    raise Fault("large")


def opus(sound: Iterable[AudioFrame], layout: str, bits: int, most: int) -> bytes:
    """The frames as an Ogg file of so many bits a second; nothing where it would have more than `most` bytes."""
    import av

    out, at = io.BytesIO(), 0
    with av.open(out, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=OPUS_RATE, layout=layout, format="s16")
        stream.bit_rate = bits
        for frame in sound:
            frame.pts, frame.time_base = at, Fraction(1, OPUS_RATE)
            at += frame.samples
            container.mux(stream.encode(frame))
            if out.tell() > most:
                return b""
        container.mux(stream.encode(None))
    return out.getvalue() if out.tell() <= most else b""
