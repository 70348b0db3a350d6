"""`python -m bot.cli`, which is how the supervisor starts its children."""

from bot.cli import main

main()
