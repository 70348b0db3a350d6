"""Chat: answers those who speak to the bot. Nothing is imported here; the file names say which process reads them."""
