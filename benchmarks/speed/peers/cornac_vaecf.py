"""Cornac's VAECF. Arguments: known and held-out matrix, users a batch, epochs.

It makes lists and judges user by user, so that a part of them is enough.
"""

import json

import numpy as np
import scipy.sparse as sp
from cornac.eval_methods import BaseMethod
from cornac.eval_methods.base_method import ranking_eval
from cornac.metrics import NDCG, Recall
from cornac.models import VAECF
from shared import K, arguments, gigabytes, rates, seconds_of

N_USERS = 200


def triples(rows: sp.csr_matrix) -> list[tuple[int, int, float]]:
    """Users, items and ones, as its readers give them."""
    users, items = rows.nonzero()
    return list(zip(users.tolist(), items.tolist(), np.ones(len(users)), strict=True))


known, held_out, batch_size, epochs = arguments()
held_out = held_out[:N_USERS]
users = range(held_out.shape[0])
data = BaseMethod.from_splits(triples(known), triples(held_out))
train, test = data.train_set, data.test_set
model = VAECF(
    k=200,
    autoencoder_structure=[600],
    n_epochs=1,
    batch_size=batch_size,
    learning_rate=1e-3,
    beta=0.2,
)


def lists() -> None:
    """Of each user."""
    for user in users:
        model.recommend(user, K, remove_seen=True, train_set=train)


def judge() -> None:
    """By NDCG@100 and Recall@20."""
    ranking_eval(model, [NDCG(100), Recall(20)], train, test)


found = {
    "users": train.num_users,
    "items": train.num_items,
    "seconds": seconds_of(lambda: model.fit(train), epochs),
    "lists": rates(lists, len(users)),
    "judged": rates(judge, len(users)),
    "gigabytes": gigabytes(),
}
print(json.dumps(found))
