"""The model that draws without a download: its weights in `flux/`, what it understands in `words.py`. `tools/train_starter` made it."""
