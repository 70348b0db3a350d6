"""What the starter that draws learns from. Nothing here is part of the product."""
