"""What Whisper says where nobody speaks: the ends of videos that it learnt from, and loops; pure functions. The model: `model.py`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

CREDITS = re.compile(
    r"amara\.org|untertitel(ung)? (des|der|im auftrag)|sous-titr(es|age)|sottotitoli|legendas pela|subtitles by|субтитры (сделал|создавал)|"
    r"редактор субтитров|字幕(由|by|组|製作|提供)|www\.\w+\.\w+",
    re.IGNORECASE,
)
"""Who wrote the subtitles: nobody says that."""

FAREWELLS = frozenset(
    """
thanks for watching|thank you for watching|thank you so much for watching|thank you|please subscribe|like and subscribe|see you next time
|bye bye|danke fürs zuschauen|vielen dank fürs zuschauen|vielen dank|merci d'avoir regardé|merci d'avoir regardé cette vidéo|gracias por ver
|gracias por ver el video|suscríbete|obrigado por assistir|inscreva-se no canal|grazie per la visione|спасибо за просмотр
|продолжение следует|ご視聴ありがとうございました|谢谢观看|感谢观看|请不吝点赞订阅|시청해주셔서 감사합니다|다음 영상에서 만나요
""".replace("\n", "").split("|")
)
"""The ends of videos. People do say some of these, and then clearly."""

CLEAR, VOICE = -0.5, 0.2
"""A farewell counts when it is likelier than this (mean log-probability), in a window less likely than that to hold no speech."""

DENSE = 2.4
"""The compression ratio above which the library too takes a text for a loop."""


def real(segments: Iterable[Any]) -> Iterator[Any]:
    """The library's segments without those that nobody said."""
    return (one for one in segments if not phantom(one.text, one.avg_logprob, one.no_speech_prob, one.compression_ratio))


def phantom(text: str, likely: float, silent: float, density: float) -> bool:
    """Whether a segment was invented, by its words, their mean log-probability, that of silence, and how well it compresses."""
    bare = re.sub(r"[\s.!?。！？…,，]+", " ", text).strip().lower()
    if CREDITS.search(text) or density > DENSE:
        return True
    return bare in FAREWELLS and (likely < CLEAR or silent > VOICE)
