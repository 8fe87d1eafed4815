"""Cornac's VAECF: the seconds of each epoch, as JSON. Arguments: matrix, users a batch, epochs."""

import json
import sys
from time import perf_counter

import numpy as np
import scipy.sparse as sp
from cornac.data import Dataset
from cornac.models.vaecf.vaecf import VAE, learn

rows, batch_size, epochs = sp.load_npz(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
users, items = rows.nonzero()
data = Dataset.from_uir(zip(users.tolist(), items.tolist(), np.ones(len(users)), strict=True))
vae = VAE(z_dim=200, ae_structure=[data.num_items, 600], act_fn="tanh", likelihood="mult")
seconds = []
for _ in range(epochs):
    start = perf_counter()
    learn(vae, data, 1, batch_size, learn_rate=1e-3, beta=0.2, verbose=False)
    seconds.append(perf_counter() - start)
print(json.dumps({"users": data.num_users, "items": data.num_items, "seconds": seconds}))
