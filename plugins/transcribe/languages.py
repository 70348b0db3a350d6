"""The languages of Whisper, by their codes, with their names in English. Which model knows which: the catalogue."""

from __future__ import annotations

from types import MappingProxyType

from bot import tr

NAMES = MappingProxyType(
    dict(
        pair.split("=")
        for pair in """
af=Afrikaans;am=Amharic;ar=Arabic;as=Assamese;az=Azerbaijani;ba=Bashkir;be=Belarusian;bg=Bulgarian;bn=Bengali;bo=Tibetan;br=Breton;
bs=Bosnian;ca=Catalan;cs=Czech;cy=Welsh;da=Danish;de=German;el=Greek;en=English;es=Spanish;et=Estonian;eu=Basque;fa=Persian;fi=Finnish;
fo=Faroese;fr=French;gl=Galician;gu=Gujarati;ha=Hausa;haw=Hawaiian;he=Hebrew;hi=Hindi;hr=Croatian;ht=Haitian Creole;hu=Hungarian;
hy=Armenian;id=Indonesian;is=Icelandic;it=Italian;ja=Japanese;jw=Javanese;ka=Georgian;kk=Kazakh;km=Khmer;kn=Kannada;ko=Korean;la=Latin;
lb=Luxembourgish;ln=Lingala;lo=Lao;lt=Lithuanian;lv=Latvian;mg=Malagasy;mi=Maori;mk=Macedonian;ml=Malayalam;mn=Mongolian;mr=Marathi;
ms=Malay;mt=Maltese;my=Burmese;ne=Nepali;nl=Dutch;nn=Nynorsk;no=Norwegian;oc=Occitan;pa=Punjabi;pl=Polish;ps=Pashto;pt=Portuguese;
ro=Romanian;ru=Russian;sa=Sanskrit;sd=Sindhi;si=Sinhala;sk=Slovak;sl=Slovenian;sn=Shona;so=Somali;sq=Albanian;sr=Serbian;su=Sundanese;
sv=Swedish;sw=Swahili;ta=Tamil;te=Telugu;tg=Tajik;th=Thai;tk=Turkmen;tl=Tagalog;tr=Turkish;tt=Tatar;uk=Ukrainian;ur=Urdu;uz=Uzbek;
vi=Vietnamese;yi=Yiddish;yo=Yoruba;yue=Cantonese;zh=Chinese
""".replace("\n", "").split(";")
    )
)
"""Javanese is `jw` there; Cantonese is known to large-v3 and turbo only."""

UNSPACED = frozenset(("zh", "ja", "yue", "th", "lo", "my"))
"""Languages that put no spaces between words, as Whisper takes them: its words are single letters there."""


def known(code: str) -> str:
    """The code, tidied. Raises ValueError for one that no Whisper knows."""
    code = code.strip().lower()
    if code not in NAMES:
        raise ValueError(tr("expected the code of a language that Whisper knows, such as en, de or zh, found “{code}”", code=code))
    return code
