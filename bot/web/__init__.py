"""The pages: the room in the browser, who may open it, and its files. What stands in a room is in `bot/store/rooms.py`."""
