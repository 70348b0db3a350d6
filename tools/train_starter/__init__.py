"""Makes the starter that draws without a download: pictures, tokenizers, training, scores. Nothing here is part of the product."""
