"""Turns voice notes and other recordings into text. The routes are in `front.py`, Whisper is in `model.py`."""
