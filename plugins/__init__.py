"""The plugins that come with Hobnob. Each is loaded by name and imports nothing of another; what they are written against is `bot`."""
