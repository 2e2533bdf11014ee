"""The environment variables of child processes."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from worker.engine.confinement.policy import cache_folder

PASSED_NAMES: Final = frozenset(
    {"PATH", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "LD_PRELOAD", "IMAGEIO_FFMPEG_EXE"}
)
PASSED_PREFIXES: Final = (
    *("LC_", "PYTHON", "COVERAGE_", "MALLOC_", "GLIBC_TUNABLES"),
    *("OMP_", "KMP_", "GOMP_", "MKL_", "OPENBLAS_", "BLIS_", "NUMBA_", "DNNL_", "ONEDNN_", "ATEN_"),
    *("CUDA_", "CUBLAS_", "CUDNN_", "NVIDIA_", "HIP_", "ROCR_", "TORCH_", "PYTORCH_", "FLAGS_", "ORT_"),
)
"""Beginnings of the names that tune interpreters and numerical libraries; none of them holds a secret."""


def child_environment() -> dict[str, str]:
    """Return all variables for a child process, such as a worker, that imports this same code, also from a checkout.

    Idle threads of OpenMP sleep instead of spinning, since two engines share the processors (OpenMP 5.2,
    OMP_WAIT_POLICY; KMP_BLOCKTIME for Intel's runtime).
    """
    root = Path(__file__).parents[2]
    environment = {"OMP_WAIT_POLICY": "PASSIVE", "KMP_BLOCKTIME": "0"} | os.environ
    if (root / "pyproject.toml").is_file():
        known = environment.get("PYTHONPATH", "").split(os.pathsep)
        environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys([str(root), *filter(None, known)]))
    return environment


def engine_environment(home: Path, scratch: Path) -> dict[str, str]:
    """Return the variables for an engine: no tokens, keys or addresses of this process are among them.

    Args:
        home: Folder of the installation; what libraries keep goes into it.
        scratch: Folder for temporary files.
    """
    return select_variables(child_environment()) | {
        "HOME": str(cache_folder(home)),
        "MPLCONFIGDIR": str(cache_folder(home) / "matplotlib"),
        "PYTHONSAFEPATH": "1",
        "TMPDIR": str(scratch),
        # Nothing can be fetched from inside; libraries shall not try.
        "HF_HUB_OFFLINE": "1",
        # onnxruntime tells its makers of its use from the moment it is imported.
        "ORT_DISABLE_TELEMETRY": "1",
    }


def select_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that an engine may know."""
    return {
        name: value for name, value in environment.items() if name in PASSED_NAMES or name.startswith(PASSED_PREFIXES)
    }
