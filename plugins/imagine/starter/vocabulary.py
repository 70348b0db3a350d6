"""The words that the starter was trained with, and the words of people that mean the same. How they are read in a prompt: `words.py`."""

from __future__ import annotations

from collections.abc import Mapping

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white")
SIZES = ("small", "medium", "large")
SHAPES = ("circle", "square", "triangle", "star", "diamond", "cross", "ring", "rectangle")

THINGS: Mapping[str, str] = {
    "sun": "yellow", "moon": "yellow", "cloud": "blue", "tree": "green", "flower": "pink", "leaf": "green", "mushroom": "brown",
    "fire": "orange", "snowman": "blue", "cat": "black", "dog": "brown", "rabbit": "brown", "horse": "brown", "elephant": "blue",
    "penguin": "black", "bird": "blue", "duck": "yellow", "fish": "blue", "butterfly": "purple", "house": "red", "bed": "blue",
    "lamp": "yellow", "clock": "black", "book": "blue", "key": "orange", "cup": "brown", "bell": "yellow", "apple": "red", "cake": "pink",
    "heart": "red", "crown": "yellow", "gift": "red", "balloon": "red", "umbrella": "purple", "car": "red", "bus": "yellow",
    "boat": "brown", "airplane": "blue", "rocket": "red", "robot": "blue",
}  # fmt: skip
"""Everyday things, each with the colour that it has when the prompt names none."""

NOUNS = (*SHAPES, *THINGS)
POSITIONS = ("top left", "top", "top right", "left", "center", "right", "bottom left", "bottom", "bottom right")
RELATIONS = ("left of", "right of", "above", "inside")

ALIASES: Mapping[str, str] = {
    "big": "large", "huge": "large", "giant": "large", "tiny": "small", "little": "small", "mini": "small", "normal": "medium",
    "crimson": "red", "scarlet": "red", "golden": "yellow", "gold": "yellow", "violet": "purple", "lilac": "purple", "disc": "circle",
    "disk": "circle", "dot": "circle", "rhombus": "diamond", "hoop": "ring", "oblong": "rectangle", "kitten": "cat", "kitty": "cat",
    "puppy": "dog", "bunny": "rabbit", "hare": "rabbit", "pony": "horse", "duckling": "duck", "home": "house", "cottage": "house",
    "flame": "fire", "blossom": "flower", "plane": "airplane", "aeroplane": "airplane", "aircraft": "airplane", "automobile": "car",
    "sailboat": "boat", "yacht": "boat", "spaceship": "rocket", "mug": "cup", "teacup": "cup", "present": "gift", "parasol": "umbrella",
    "novel": "book", "lightbulb": "lamp", "bulb": "lamp", "sunshine": "sun", "android": "robot", "toadstool": "mushroom",
    "centre": "center", "middle": "center", "upper": "top", "lower": "bottom", "over": "above", "atop": "above", "within": "inside",
    "under": "below", "underneath": "below", "beneath": "below", "backdrop": "background",
}  # fmt: skip
"""Other words for the same."""

NEAR: Mapping[str, tuple[str, ...]] = {
    "tiger": ("cat",), "lion": ("cat",), "panther": ("cat",), "wolf": ("dog",), "fox": ("dog",), "bear": ("dog",), "cow": ("horse",),
    "donkey": ("horse",), "unicorn": ("horse",), "zebra": ("horse",), "mouse": ("rabbit",), "hamster": ("rabbit",),
    "chicken": ("duck", "bird"), "eagle": ("bird",), "owl": ("bird",), "parrot": ("bird",), "swan": ("duck",), "goose": ("duck",),
    "shark": ("fish",), "whale": ("fish",), "dolphin": ("fish",), "dragon": ("fire",), "insect": ("butterfly",), "bee": ("butterfly",),
    "train": ("bus",), "animal": ("cat", "dog", "bird"), "truck": ("bus", "car"), "van": ("bus", "car"), "taxi": ("car",),
    "tram": ("bus",), "ship": ("boat",), "helicopter": ("airplane",), "jet": ("airplane",), "building": ("house",), "sofa": ("bed",),
    "candle": ("lamp", "fire"), "watch": ("clock",), "glass": ("cup",), "coffee": ("cup",), "tea": ("cup",), "bottle": ("cup",),
    "fruit": ("apple",), "banana": ("apple", "yellow"), "box": ("gift", "square"), "bread": ("cake",), "food": ("cake",),
    "rose": ("flower",), "tulip": ("flower",), "grass": ("leaf",), "plant": ("flower", "tree"), "forest": ("tree",),
    "mountain": ("triangle",), "sky": ("cloud", "sun"), "rain": ("cloud", "umbrella"), "snow": ("snowman",), "night": ("moon", "black"),
    "planet": ("moon", "sun"), "sea": ("boat", "fish"), "water": ("fish", "blue"), "man": ("snowman", "robot"),
    "woman": ("snowman", "robot"), "person": ("snowman", "robot"), "girl": ("snowman", "robot"), "boy": ("snowman", "robot"),
    "king": ("crown",), "queen": ("crown",), "love": ("heart",), "tool": ("key",), "ball": ("circle",), "hexagon": ("circle",),
    "oval": ("circle",), "line": ("rectangle",), "grey": ("black", "white"), "gray": ("black", "white"), "silver": ("white",),
    "cyan": ("blue",), "turquoise": ("blue", "green"), "castle": ("house",), "carrot": ("apple",), "pizza": ("cake",),
    "guitar": ("bell",), "bicycle": ("car",), "turtle": ("fish",), "pig": ("dog",), "cactus": ("tree",), "frog": ("fish",),
    "burger": ("cake",), "snake": ("fish",),
}  # fmt: skip
"""What comes closest to words that the starter does not know; spelling finds others."""

FILLERS = frozenset({
    "a", "an", "the", "and", "of", "to", "in", "on", "at", "with", "is", "are", "it", "its", "that", "this", "there", "some", "one",
    "two", "near", "next", "beside", "by", "please", "draw", "paint", "show", "me", "picture", "image", "drawing", "photo", "icon",
    "side", "corner", "background", "against", "front", "coloured", "colored", "color", "colour", "very", "nice", "beautiful", "cute",
    "simple", "below", "my", "your", "his", "her", "our", "their", "i", "we", "you", "he", "she", "they", "make", "give", "create",
    "generate", "sketch", "art", "illustration", "scene",
})  # fmt: skip
"""Words that say nothing about what is drawn, or only say it together with others."""
