"""What the model that draws without a download understands: `words.py`, and the words themselves: `vocabulary.py`."""
