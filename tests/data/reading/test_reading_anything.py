"""Files of any content, read by everything that reads tables and ratings."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.abuse.fuzz.readers import readers, require_sound
from recvae.errors import RecvaeError

fields = st.one_of(
    st.sampled_from(["1", "2", "-7", "0", "007", "1e400", "nan", "NA", '"', '"a', "2018-04-23"]),
    st.integers().map(str),
    st.floats().map(str),
    st.text(max_size=4),
)
tables = st.builds(
    lambda head, rows, separator, end: end.join(
        separator.join(row) for row in [*head, *rows]
    ).encode("utf8", "replace"),
    st.sampled_from([[["u", "i", "v", "t"]], [["t", "v", "i", "u"]], []]),
    st.lists(st.lists(fields, min_size=2, max_size=5), max_size=6),
    st.sampled_from([*",\t;|:", "::"]),
    st.sampled_from(["\n", "\r\n", "\n\n"]),
)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(max_examples=150)
@given(content=tables | st.binary(max_size=200))
def test_any_file_is_read_well_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "table"
    path.write_bytes(content)
    for read in readers():
        with suppress(RecvaeError):
            require_sound(read(path))
