"""The one typed door to DeepFilterNet's C library."""

import ctypes
from pathlib import Path
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray

Mono = NDArray[np.float32]
"""Shape (frames,)."""

_FLOATS = ctypes.POINTER(ctypes.c_float)
UNLIMITED = 100.0
"""dB of attenuation at which the library sets no limit."""


class Library:
    """The library with its functions declared; raises `OSError` when it cannot be loaded here."""

    def __init__(self, path: Path) -> None:
        library = ctypes.CDLL(str(path))
        self.create = library.df_create
        self.create.restype, self.create.argtypes = ctypes.c_void_p, [ctypes.c_char_p, ctypes.c_float, ctypes.c_char_p]
        self.frame_length = library.df_get_frame_length
        self.frame_length.restype, self.frame_length.argtypes = ctypes.c_size_t, [ctypes.c_void_p]
        self.process = library.df_process_frame
        self.process.restype, self.process.argtypes = ctypes.c_float, [ctypes.c_void_p, _FLOATS, _FLOATS]
        self.free = library.df_free
        self.free.restype, self.free.argtypes = None, [ctypes.c_void_p]


class Filter:
    """The network with its memory of one channel; hop by hop, in order. Close it, or use it in a `with` block."""

    def __init__(self, library: Library, model: Path) -> None:
        self._library = library
        self._state = cast("int | None", library.create(str(model).encode(), UNLIMITED, None))
        if not self._state:
            raise OSError(f"df_create gave nothing for {model}")
        self.hop = cast("int", library.frame_length(self._state))

    def process(self, samples: Mono) -> Mono:
        """The speech in the next samples, late by the network's delay; a whole number of hops at 48 kHz.

        The library lets go of the interpreter's lock, so channels can run side by side.
        """
        source = np.ascontiguousarray(samples, np.float32)
        made = np.zeros_like(source)
        size = source.itemsize
        for start in range(0, len(source), self.hop):
            self._library.process(
                self._state,
                ctypes.cast(source.ctypes.data + start * size, _FLOATS),
                ctypes.cast(made.ctypes.data + start * size, _FLOATS),
            )
        return made

    def close(self) -> None:
        """Free the network; a second call does nothing."""
        if self._state:
            self._library.free(self._state)
            self._state = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
