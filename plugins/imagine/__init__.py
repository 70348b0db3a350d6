"""Draws pictures on request. The routes are in `front.py`, the models in `model.py`."""
