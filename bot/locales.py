"""The languages that the bot speaks: catalogues of the core and of plugins, read from `.po` files. What makes them: `tools/texts.py`."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from string import Formatter

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from bot.errors import PluginError
from bot.translation import Translation

OURS = Path(__file__).parent / "locale"
"""Where the catalogues of the core and of the plugins that come with it are."""

ENGLISH = "en"


class Locales:
    """Every language that there is a catalogue of, and English."""

    def __init__(self, folders: Mapping[str, Path] | None = None) -> None:
        """`folders` are those of plugins that may have catalogues of their own. Raises PluginError for one that is wrong."""
        own = {name: dict(_catalogues(name, folder / "locale")) for name, folder in (folders or {}).items()}
        core = dict(_catalogues("hobnob", OURS))
        tags = sorted({tag for found in (core, *own.values()) for tag in found})
        self._all = {ENGLISH: Translation()}
        self._own: dict[tuple[str, str], Translation] = {}
        for tag in tags:
            everything = [core, *own.values()]
            self._all[tag] = Translation(tag, _chain(found[tag] for found in everything if tag in found))
            for name, found in own.items():
                if tag in found:
                    self._own[tag, name] = Translation(tag, _chain([found[tag], self._all[tag].catalogue]))
        self._by_script = {_maximal(tag): tag for tag in self._all}

    @property
    def tags(self) -> tuple[str, ...]:
        """The languages, English first."""
        return tuple(self._all)

    def of(self, tag: str, plugin: str = "") -> Translation:
        """The language of this tag, English where there is none. What a plugin translates itself goes before what others say."""
        known = self.known(tag) or ENGLISH
        return self._own.get((known, plugin)) or self._all[known]

    def known(self, wanted: str) -> str:
        """Our tag for what a platform or a browser says: `zh-CN`, `zh-hans`, `en-GB,en;q=0.9`. "" when none of it is ours."""
        for one in wanted.split(","):
            script = _maximal(one.partition(";")[0].strip())
            if script is not None and script in self._by_script:
                return self._by_script[script]
        return ""

    def name(self, tag: str) -> str:
        """What those who speak a language call it."""
        return _locale(tag).get_display_name() or tag


def _chain(catalogues: Iterable[NullTranslations]) -> NullTranslations:
    """One that looks into each in turn; each is copied, because a fallback is for this chain alone."""
    first, *others = catalogues
    head = _copy(first)
    for one in others:
        head.add_fallback(_copy(one))
    return head


def _copy(one: NullTranslations) -> NullTranslations:
    made = NullTranslations.__new__(type(one))
    made.__dict__.update(one.__dict__)
    return made


def _catalogues(plugin: str, folder: Path) -> Iterator[tuple[str, NullTranslations]]:
    for path in sorted(folder.glob("*.po")):
        locale = _named(plugin, path)
        yield str(locale).replace("_", "-"), _read(plugin, path)


def _named(plugin: str, path: Path) -> Locale:
    try:
        return Locale.parse(path.stem)
    except (UnknownLocaleError, ValueError) as error:
        raise PluginError(plugin, f"{path}: expected the name of a language, like de.po or zh_Hans.po: {error}") from error


@cache
def _read(plugin: str, path: Path) -> NullTranslations:
    """Raises PluginError for what is no catalogue, and for translations that name values which their text does not have."""
    try:
        with path.open("rb") as file:
            found = read_po(file, locale=path.stem, abort_invalid=True)
    except (PoFileError, UnicodeDecodeError, ValueError) as error:
        raise PluginError(plugin, f"{path}: {error}") from error
    if wrong := list(faults(found)):
        raise PluginError(plugin, f"{path}: {wrong[0]}")
    content = io.BytesIO()
    write_mo(content, found)
    content.seek(0)
    return GNUTranslations(content)


def faults(catalogue: Catalog) -> Iterator[str]:
    """The translations that name values which their text does not have, or leave one out."""
    for message in catalogue:
        if message.id and (wrong := _wrong(message)):
            yield f"line {message.lineno}: {wrong!r} names other values than its text"


def _wrong(message: Message) -> str:
    given = [message.id] if isinstance(message.id, str) else list(message.id)
    said = [message.string] if isinstance(message.string, str) else list(message.string or ())
    expected = [fields(one) for one in given]
    return next((one for one in said if one and (fields(one) not in expected)), "")


def fields(text: str) -> frozenset[str] | None:
    """The values that a text names; None where its braces mean nothing."""
    try:
        return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)
    except ValueError:
        return None


@cache
def _locale(tag: str) -> Locale:
    return Locale.parse(tag, sep="-")


@lru_cache(maxsize=1000)  # of what strangers say
def _maximal(tag: str) -> tuple[str, str] | None:
    """Language and script, as CLDR supposes where a tag does not say: zh-TW is written in traditional characters."""
    try:
        asked = _locale(tag.replace("_", "-"))
    except (UnknownLocaleError, ValueError):
        return None
    likely: Mapping[str, str] = get_global("likely_subtags")
    script = asked.script
    for key in (f"{asked.language}_{asked.territory}", asked.language):
        if not script and key in likely:
            script = Locale.parse(likely[key]).script
    return asked.language, script or ""
