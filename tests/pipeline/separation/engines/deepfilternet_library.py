"""DeepFilterNet's own C library, which the engine is compared with."""

import ctypes
from pathlib import Path
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray

Mono = NDArray[np.float32]
"""Shape (frames,)."""

_FLOATS = ctypes.POINTER(ctypes.c_float)
UNLIMITED_ATTENUATION_DB = 100.0
"""Attenuation at which the library sets no limit."""


class DeepFilterLibrary:
    """The library with the types of its functions declared.

    Raises:
        OSError: It cannot be loaded on this machine.
    """

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


class ChannelFilter:
    """The network and its state for one channel, which it takes in order. Close it, or use it in a `with` block.

    Raises:
        OSError: The library cannot read the model.
    """

    def __init__(self, library: DeepFilterLibrary, model: Path) -> None:
        self._library = library
        self._state = cast("int | None", library.create(str(model).encode(), UNLIMITED_ATTENUATION_DB, None))
        if not self._state:
            raise OSError(f"df_create gave nothing for {model}")
        self.hop = cast("int", library.frame_length(self._state))

    def process(self, samples: Mono) -> Mono:
        """Find the speech in the next samples, delayed by the network; ctypes releases the GIL meanwhile.

        Args:
            samples: Shape (frames,) at 48 kHz, a whole number of hops.

        Returns:
            The same shape.
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
