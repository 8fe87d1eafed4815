"""Quality: how good lists are, and what the tools of the latent space are worth."""
