"""The sample: a generated data set of MovieLens' shape, made in about a second, no file needed.

Every genre is a latent structure of its own. A user cares for some genres more than for others,
and within a genre leans to some kinds of film, the more so the more they care. What users watch
follows from that and from how well known a film is; how they rate it follows from that, from how
good it is and from how generous they are. In time they wander from genre to genre.
"""

# ruff: noqa: SIM905 (a list of words reads best as a sentence)

import numpy as np
import pandas as pd

from recvae.data.datasets.tables import Tables

SEED = 20180423
N_USERS, N_ITEMS = 3000, 1200
GENRES = np.array(
    "Drama Comedy Thriller Action Romance Adventure Crime Sci-Fi Horror Fantasy Children "
    "Mystery Animation Musical War Documentary Western Film-Noir".split(),
    dtype=object,
)
KINDS = 2
"""Latent dimensions within a genre."""
LEVELS = (0.06, 0.17, 0.42, 0.78)
"""The fractions of ratings below 2, 3, 4 and 5 stars."""
FIRST_SIGN_UP, LAST_SIGN_UP = 946_684_800, 1_072_915_200
"""2000-01-01 and 2004-01-01, in seconds since 1970."""
LONGEST_PAUSE = 60 * 86_400
"""The longest time between two ratings of a user, in seconds."""

MANNERS = (
    "Silent Crimson Hidden Wandering Golden Broken Midnight Distant Velvet Burning Frozen Paper "
    "Hollow Electric Gentle Savage Borrowed Forgotten Emerald Restless Invisible Scarlet Winter "
    "Summer Northern Bitter Lucky Honest Crooked Painted Stolen Second Last Hungry Lonesome "
    "Amber Quiet Reluctant Perfect Impossible"
).split()
THINGS = (
    "Harbor Garden Mirror Orchard Station Letter Lantern River Kingdom Island Promise Stranger "
    "Violin Hotel Compass Circus Carnival Window Bridge Shadow Journey Summer Empire Secret "
    "Horizon Parade Melody Labyrinth Voyage Courtship Inheritance Alibi Masquerade Engine "
    "Neighbor Detective Astronaut Balloon Telegram Avalanche"
).split()
PEOPLE = (
    "Clockmaker Daughters Ghost Thieves Baker Pilot Widow Captain Children Architect Gardener "
    "Wolves Queen Tailor Lighthouse Spies Drummer Cartographer Librarian Fox"
).split()
PLACES = (
    "Lisbon Avalon Winterford Kyoto Saltmarsh Mars Havana Thornfield Marseille Cedar_Creek "
    "Budapest Blackwater Zanzibar Montreal Copper_Hill Naples Elsewhere Trieste Juniper_Bay Oslo"
).split()


def sample_tables() -> Tables:
    """Generate ratings of 1 to 5 stars, and items with titles and genres; always the same."""
    rng = np.random.default_rng(SEED)
    genres = _draw_genres(rng)
    fame = _draw_fame(rng)
    # The one place that fills users x items: the sample is as small as a block of users.
    liking = _draw_liking(genres, rng)
    users, items = _draw_watched(liking, fame, rng)
    items = _ordered_by_mood(users, items, genres, rng)
    ratings = pd.DataFrame(
        {
            "user": users + 1,
            "item": items + 1,
            "rating": _draw_stars(liking[users, items], fame, users, items, rng),
            "timestamp": _draw_timestamps(users, rng),
        }
    )
    return Tables(ratings, _item_table(genres, rng))


def _draw_genres(rng: np.random.Generator) -> np.ndarray:
    """One to three genres for each item, the first of the list more often: bool [items, genres]."""
    # Gumbel noise on log frequencies draws an order of the genres without replacement; an item has
    # the first one, two or three of it.
    frequency = 1 / np.sqrt(np.arange(1, len(GENRES) + 1))
    order = np.argsort(-np.log(frequency) - rng.gumbel(size=(N_ITEMS, len(GENRES))), axis=1)
    rank = np.argsort(order, axis=1)
    return rank < rng.choice([1, 2, 3], size=(N_ITEMS, 1), p=[0.35, 0.4, 0.25])


def _draw_fame(rng: np.random.Generator) -> np.ndarray:
    """How well known each item is, a power law of its rank: log weights [items]."""
    return -1.3 * np.log(rng.permutation(N_ITEMS) + 30.0)


def _draw_liking(genres: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How much each user would like each item: [users, items] of mean 0 and variance 1."""
    n_genres = len(GENRES)
    # A user's care for a genre counts twice: for the genre itself, and as the scale of how much the
    # user leans to kinds of film within it.
    care = rng.gamma(0.6, size=(N_USERS, n_genres))
    leanings = care[:, :, None] * rng.normal(size=(N_USERS, n_genres, KINDS))
    kinds = genres[:, :, None] * rng.normal(size=(N_ITEMS, n_genres, KINDS))
    liking = 1.5 * care @ genres.T
    liking += leanings.reshape(N_USERS, -1) @ kinds.reshape(N_ITEMS, -1).T
    liking /= np.sqrt(genres.sum(axis=1))
    return (liking - liking.mean()) / liking.std()


def _draw_watched(
    liking: np.ndarray, fame: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of users and items that were watched: two arrays [ratings], users ascending."""
    # The best `activity` items by log-chance plus Gumbel noise: draws without replacement.
    chance = fame + 1.05 * liking + rng.gumbel(size=liking.shape)
    activity = np.minimum(20 + 50 * rng.pareto(1.8, size=(N_USERS, 1)), N_ITEMS / 2)
    last = N_ITEMS - np.ceil(activity).astype(int)
    users, items = np.nonzero(chance >= np.take_along_axis(np.sort(chance, axis=1), last, axis=1))
    return users, items


def _ordered_by_mood(
    users: np.ndarray, items: np.ndarray, genres: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Each user's items in the order watched: they wander from some genres to others."""
    drift = rng.normal(size=(N_USERS, len(GENRES)))
    when = np.einsum("ng,ng->n", genres[items], drift[users]) + rng.normal(size=len(items))
    return items[np.lexsort((when, users))]


def _draw_stars(
    liking: np.ndarray,
    fame: np.ndarray,
    users: np.ndarray,
    items: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Ratings float32 [ratings]: 1 to 5 stars, as many of each as `LEVELS` says."""
    quality = 0.4 * fame + 0.5 * rng.normal(size=N_ITEMS)
    generosity = 0.4 * rng.normal(size=N_USERS)
    pleasure = 0.6 * liking + quality[items] + generosity[users]
    pleasure += 0.7 * rng.normal(size=len(items))
    return (1 + np.searchsorted(np.quantile(pleasure, LEVELS), pleasure)).astype(np.float32)


def _draw_timestamps(users: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Seconds since 1970 [ratings], ascending for each user: bursts, and long pauses between."""
    pauses = np.minimum(20 * (1 + rng.pareto(0.6, size=len(users))), LONGEST_PAUSE)
    elapsed = np.cumsum(pauses)
    first = np.searchsorted(users, np.arange(N_USERS))
    sign_up = rng.uniform(FIRST_SIGN_UP, LAST_SIGN_UP, size=N_USERS)
    return (sign_up[users] + elapsed - elapsed[first][users]).astype(np.int64)


def _item_table(genres: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Items with made-up titles; most of them recent."""
    years = 2003 - np.minimum(rng.exponential(14, size=N_ITEMS), 75).astype(int)
    titles = [
        f"{title} ({year})" for title, year in zip(_draw_titles(N_ITEMS, rng), years, strict=True)
    ]
    return pd.DataFrame(
        {
            "item": np.arange(1, N_ITEMS + 1),
            "title": titles,
            "genres": ["|".join(GENRES[marked]) for marked in genres],
        }
    )


def _draw_titles(n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw n different titles, such as "The Silent Harbor", as an array of str [n]."""
    titles = [f"The {manner} {thing}" for manner in MANNERS for thing in THINGS]
    titles += [f"The {who} of {place.replace('_', ' ')}" for who in PEOPLE for place in PLACES]
    return rng.choice(np.array(titles, dtype=object), n, replace=False)
