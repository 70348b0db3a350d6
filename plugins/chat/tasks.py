"""Named tasks as turns: an instruction for models that follow one, examples and a hole for base models. Who asks: `requests.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot import Text, Turn

Pairs = tuple[tuple[str, str], ...]

PHRASES = {
    "english": ("Good morning.", "How are you?", "Where is the station?"),
    "french": ("Bonjour.", "Comment allez-vous ?", "Où est la gare ?"),
    "german": ("Guten Morgen.", "Wie geht es Ihnen?", "Wo ist der Bahnhof?"),
    "spanish": ("Buenos días.", "¿Cómo está usted?", "¿Dónde está la estación?"),
    "italian": ("Buongiorno.", "Come sta?", "Dov'è la stazione?"),
    "portuguese": ("Bom dia.", "Como está?", "Onde fica a estação?"),
    "chinese": ("早上好。", "你好吗？", "车站在哪里？"),
    "hindi": ("सुप्रभात।", "आप कैसे हैं?", "स्टेशन कहाँ है?"),
    "arabic": ("صباح الخير.", "كيف حالك؟", "أين المحطة؟"),
    "vietnamese": ("Chào buổi sáng.", "Bạn có khỏe không?", "Nhà ga ở đâu?"),
    "indonesian": ("Selamat pagi.", "Apa kabar?", "Di mana stasiunnya?"),
    "swahili": ("Habari ya asubuhi.", "Habari yako?", "Kituo kiko wapi?"),
}
"""The same three sentences; for other languages a base model has the name of the language alone to go by."""

SENTENCE = "On 3 May Ada paid Ben 20 euros in Paris."
FOUND = {"names": "Ada, Ben", "places": "Paris", "dates": "3 May", "amounts": "20 euros", "numbers": "3, 20"}
FELT = (("The food was cold and late.", "negative"), ("What a lovely evening!", "positive"), ("The shop opens at nine.", "neutral"))
TOLD = (
    (
        "The council met on Monday to talk about the old bridge. Engineers found rust in two of its pillars. It will be closed from May "
        "to July, and buses will take another way.",
        "The old bridge is rusty and will be closed from May to July.",
    ),
)
SHORTER = "Sum up each text."
KNOWN = (
    ("What is the capital of Italy?", "Rome."),
    ("How many legs does a spider have?", "Eight."),
    ("Who wrote Hamlet?", "William Shakespeare."),
)
WRITTEN = (
    ("Return the sum of two numbers.", "def add(a, b): return a + b"),
    ("Say whether a word is a palindrome.", "def same(word): return word == word[::-1]"),
)


@dataclass(frozen=True, slots=True)
class Task:
    """`instruction` is for models that follow one; `given` and `wanted` are the cues of the examples for those that do not.

    `head` stands before the examples and says what is wanted of each: a model with a form of its own is shown no cue before an answer,
    and for many languages there are no examples.
    """

    instruction: str
    given: str
    wanted: str
    examples: Pairs = ()
    head: str = ""
    stops: tuple[str, ...] = ("\n\n",)

    def turns(self, text: str, *, tuned: bool) -> tuple[Turn, ...]:
        """What the model is shown of the task and of `text`."""
        if tuned:
            return (_turn("system", self.instruction), _turn("person", text))
        shown = [turn for asked, told in self.examples for turn in (_turn("person", asked, self.given), _turn("bot", told, self.wanted))]
        lead = (_turn("system", self.head),) if self.head else ()
        return (*lead, *shown, _turn("person", text, self.given), _turn("bot", "", self.wanted))


def answer() -> Task:
    """A question of its own, apart from the conversation."""
    return Task("Answer the question in one or two sentences.", "Question", "Answer", KNOWN)


def translate(language: str) -> Task:
    """Into any language, from whichever it is."""
    source, target = ("french" if language.lower() == "english" else "english"), PHRASES.get(language.lower(), ())
    pairs = tuple(zip(PHRASES[source], target, strict=False))
    head = f"Translate each text into {language}."
    return Task(f"Translate what the person writes into {language}. Answer with the translation alone.", "Text", language, pairs, head)


def summarise() -> Task:
    """In a few sentences."""
    return Task("Summarise what the person sends in at most three sentences. Add nothing of your own.", "Text", "Summary", TOLD, SHORTER)


def condense() -> Task:
    """What leaves the memory, for the next prompts to begin with."""
    return Task(
        "Sum up what was said in a group chat in at most five sentences: who said what, and what was agreed. Keep names and numbers. "
        "Add nothing of your own.",
        "Text",
        "Summary",
        TOLD,
        SHORTER,
    )


def classify(labels: Sequence[str]) -> Task:
    """With one of the labels."""
    listed = ", ".join(labels)
    pairs = tuple((text, label) for text, label in FELT if label in labels)
    head = f"Each text has one of these labels: {listed}."
    return Task(
        f"Answer with the one of these labels that fits the text best, and nothing else: {listed}.", "Text", "Label", pairs, head, ("\n",)
    )


def extract(what: str) -> Task:
    """What is named in a text: names, places, dates, amounts, or anything else."""
    pairs = ((SENTENCE, FOUND[what.lower()]),) if what.lower() in FOUND else ()
    head = f"List the {what} in each text, separated by commas."
    instruction = f"List the {what} in the text, separated by commas. Answer with the list alone, or with “none”."
    return Task(instruction, "Text", what.capitalize(), pairs, head)


def code(language: str) -> Task:
    """A few lines of a programming language."""
    pairs = WRITTEN if language.lower() == "python" else ()
    head = f"Short and correct {language} code."
    return Task(f"Write {language} code for what the person asks. Answer with one code block.", "Task", language, pairs, head, ("\n\n\n",))


def closest(label: str, labels: Sequence[str]) -> str:
    """The label that a model meant; what it said, where that is none of them."""
    said = label.strip().lower()
    return next((each for each in labels if said.startswith(each.lower())), next((each for each in labels if each.lower() in said), label))


def _turn(role: str, text: str, name: str = "") -> Turn:
    return Turn.model_validate({"role": role, "parts": (Text(text),), "name": name})
