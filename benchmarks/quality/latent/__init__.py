"""What the tools of `rv.latent` are worth on MovieLens."""
