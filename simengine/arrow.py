"""NumPy arrays as columns of pyarrow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from simengine.late import late

if TYPE_CHECKING:
    import pyarrow as pa
else:
    pa = late("pyarrow")


def as_array(values: np.ndarray | Sequence[str], is_known: np.ndarray | None = None) -> pa.Array:
    """Return numbers or words as a column, with nothing where a number is not known.

    pyarrow's own way from them loads pandas first, which takes half a second.
    """
    if not isinstance(values, np.ndarray):
        texts = [text.encode() for text in values]
        ends = np.cumsum([0, *map(len, texts)], dtype=np.int32)
        return pa.StringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(b"".join(texts)))
    held = np.packbits(values, bitorder="little") if values.dtype == np.bool_ else np.ascontiguousarray(values)
    known = None if is_known is None or is_known.all() else pa.py_buffer(np.packbits(is_known, bitorder="little"))
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [known, pa.py_buffer(held)])


def as_words(codes: np.ndarray, words: Sequence[str]) -> pa.Array:
    """Return a coded column as its words."""
    return pa.DictionaryArray.from_arrays(as_array(codes), as_array(list(words)))
