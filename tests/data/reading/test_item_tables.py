import pandas as pd
import pytest

import recvae as rv
from recvae.errors import DataError, MissingFileError

TABLE = pd.DataFrame({"sku": ["007", "12"], "kind": ["a", "b"], "price": [1.5, 2.0]})


@pytest.mark.parametrize("name", ["goods.csv", "goods.tsv", "goods.parquet"])
def test_tables_of_items_are_indexed_by_their_ids(name, tmp_path):
    path = tmp_path / name
    if name.endswith("parquet"):
        TABLE.to_parquet(path)
    else:
        TABLE.to_csv(path, index=False, sep="\t" if name.endswith("tsv") else ",")
    items = rv.read_items(path, "sku")
    assert list(items) == ["kind", "price"]
    assert items.index.tolist() in (["007", "12"], [7, 12])
    assert items["price"].tolist() == [1.5, 2.0]


def test_files_that_are_no_tables_of_items(tmp_path):
    with pytest.raises(MissingFileError, match="no file"):
        rv.read_items(tmp_path / "none.csv")
    TABLE.to_csv(tmp_path / "goods.csv", index=False)
    with pytest.raises(DataError, match="no column 'item'"):
        rv.read_items(tmp_path / "goods.csv")
    (tmp_path / "goods.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="can't be read as a table"):
        rv.read_items(tmp_path / "goods.parquet")


def test_a_table_of_items_is_read_like_any_other_table(tmp_path):
    path = tmp_path / "goods.csv"
    path.write_bytes("item;name;price\n1;Caf\xe9;\\N\n2;\\N;3\n3;;4\n".encode("latin-1"))
    items = rv.read_items(path)
    assert items.index.tolist() == [1, 2, 3]
    assert items["name"].isna().tolist() == [False, True, True]
    assert items.loc[1, "name"] == "Caf\xe9"
    assert items["price"].isna().tolist() == [True, False, False]
    path.write_text("item,name\n1,a\n,b\n")
    with pytest.raises(DataError, match="1 of the item ids are missing"):
        rv.read_items(path)
