"""Makes HTDemucs faster on a processor, with the same weights and, to within -110 dB, the same results.

Three things cost stock HTDemucs most beside its convolutions, and each is improved where it arises:

- linear layers and attention run in MKL, which is slow on processors of other makers; oneDNN computes the same
  products, and attention is taken in blocks of queries, exact, so that no matrix of all scores is ever held;
- the residual branches make tensors of 66 MB per step for 512 rows of frequency that never look at each other;
  a few rows at a time stay in the cache;
- the allocator returns each of those tensors to the system and fetches fresh pages for the next (`reuse_freed_memory`).

Only `forward` of single modules is replaced: parameters, names and state stay as they were. On any device but the
processor, in training or with gradients wanted, the stock forward runs.
"""

import ctypes
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import torch

QUERIES_PER_BLOCK = 448
"""Queries per block of attention: a block's scores for 2688 keys take 4.8 MB."""
RESIDUAL_CHUNK_VALUES = 1 << 18
"""Values of a residual branch's input that are processed at a time: 1 MB in float32."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
_UNLIMITED_BYTES = 2**31 - 1

_torch = cast("Any", torch)
_Tensor = Any
_Network = TypeVar("_Network")


def optimise(network: _Network) -> _Network:
    """Speed up every HTDemucs in a network or bag, in place; anything else is left as it is."""
    from demucs.htdemucs import HTDemucs

    if not _has_linear():
        return network
    parts: Any = getattr(network, "models", [network])
    for part in parts:
        if isinstance(part, HTDemucs):
            _optimise_modules(part)
    return network


@contextmanager
def reuse_freed_memory() -> Generator[None]:
    """Let the C library keep freed memory for the next tensors inside the block; return it to the system after.

    Fresh pages for each large tensor cost up to a third of the time, most in virtual machines. Does nothing where
    the C library has no such setting. Settings are the process's, so other threads' memory is kept as well.
    """
    library: Any = ctypes.CDLL(None)
    if not hasattr(library, "mallopt") or not hasattr(library, "malloc_trim"):
        yield
        return
    library.mallopt(_MMAP_MAX, 0)
    library.mallopt(_TRIM_THRESHOLD, _UNLIMITED_BYTES)
    try:
        yield
    finally:
        # The C library's own defaults, which cannot be asked for; 32 MB is where its threshold settles by itself.
        library.mallopt(_MMAP_MAX, 65_536)
        library.mallopt(_MMAP_THRESHOLD, 32 << 20)
        library.mallopt(_TRIM_THRESHOLD, 64 << 20)
        library.malloc_trim(0)


def _has_linear() -> bool:
    """Return whether this build of torch has the oneDNN product that is used here."""
    try:
        made = _linear(_torch.ones(2, 3), _torch.ones(4, 3), None)
    except (AttributeError, RuntimeError, NotImplementedError, TypeError):
        return False
    return bool((made == 3).all())


def _optimise_modules(network: Any) -> None:  # noqa: ANN401 - demucs is untyped
    from demucs.demucs import DConv

    modules: list[Any] = list(network.modules())
    transformer = getattr(network, "crosstransformer", None)
    inner: list[Any] = list(transformer.modules()) if transformer is not None else []
    for module in inner:
        # An attention's own `out_proj` is a subclass of Linear that attention never calls.
        if type(module) is torch.nn.Linear:
            _replace(module, _linear_forward)
        elif type(module) is torch.nn.MultiheadAttention and _is_plain_attention(module):
            _replace(module, _attention_forward)
    for module in modules:
        if type(module) is DConv and all(_is_plain_residual(layer) for layer in cast("Any", module).layers):
            _replace(module, _residual_forward)


def _replace(module: Any, fast: Callable[..., Any]) -> None:  # noqa: ANN401 - torch modules
    """Replace a module's forward for float32 inference on the processor; doing it twice changes nothing."""
    if "forward" in vars(module):
        return
    stock: Any = cast("Any", type(module)).forward

    def forward(first: _Tensor, *rest: Any, **options: Any) -> Any:  # noqa: ANN401 - as torch's own
        plain = first.device.type == "cpu" and first.dtype == torch.float32
        if not plain or module.training or torch.is_grad_enabled() or _masked(rest, options):
            return stock(module, first, *rest, **options)
        return fast(module, first, *rest[:2])

    module.forward = forward


def _masked(rest: tuple[Any, ...], options: dict[str, Any]) -> bool:
    """Return whether an attention is called with arguments that the fast one does not support."""
    masks = ("attn_mask", "key_padding_mask", "need_weights", "is_causal")
    return len(rest) > 2 or any(options.get(name) not in (None, False) for name in masks)


def _is_plain_attention(module: Any) -> bool:  # noqa: ANN401 - torch modules
    same = module._qkv_same_embed_dim and module.batch_first and module.in_proj_bias is not None
    return bool(same and module.bias_k is None and not module.add_zero_attn)


def _is_plain_residual(layer: Any) -> bool:  # noqa: ANN401 - torch modules
    """Return whether a branch is the published one: convolution, norm, GELU, convolution, norm, GLU, scale."""
    from demucs import demucs

    kinds = [cast("Any", type(part)) for part in layer]
    nn, scale = torch.nn, cast("Any", demucs).LayerScale
    return kinds == [nn.Conv1d, nn.GroupNorm, nn.GELU, nn.Conv1d, nn.GroupNorm, nn.GLU, scale]


def _linear(values: _Tensor, weight: _Tensor, bias: _Tensor | None) -> _Tensor:
    """Compute `values @ weight.T + bias` with oneDNN; the last three arguments say that nothing follows it."""
    return _torch.ops.mkldnn._linear_pointwise(values, weight, bias, "none", [], "")


def _linear_forward(module: Any, values: _Tensor) -> _Tensor:  # noqa: ANN401 - torch modules
    return _linear(values, module.weight, module.bias)


def _attention_forward(module: Any, query: _Tensor, key: _Tensor, value: _Tensor) -> tuple[_Tensor, None]:  # noqa: ANN401
    """Compute multi-head attention without masks; (batch, length, width) in and out, no weights returned."""
    width, weight, bias = module.embed_dim, module.in_proj_weight, module.in_proj_bias
    if query is key and key is value:
        queries, keys, values = _linear(query, weight, bias).split(width, -1)
    elif key is value:
        queries = _linear(query, weight[:width], bias[:width])
        keys, values = _linear(key, weight[width:], bias[width:]).split(width, -1)
    else:
        parts = zip((query, key, value), weight.split(width), bias.split(width), strict=True)
        queries, keys, values = (_linear(*part) for part in parts)
    attended = _attend(queries, keys, values, module.num_heads)
    return _linear(attended, module.out_proj.weight, module.out_proj.bias), None


def _attend(queries: _Tensor, keys: _Tensor, values: _Tensor, heads: int) -> _Tensor:
    """Compute exact softmax attention, a block of queries of one head at a time; (batch, length, width) in and out."""
    out = _torch.empty_like(queries, memory_format=torch.contiguous_format)
    depth = queries.shape[-1] // heads
    for item in range(len(queries)):
        for start in range(0, depth * heads, depth):
            head = slice(start, start + depth)
            query = queries[item, :, head].contiguous()
            key = keys[item, :, head] * depth**-0.5
            value = values[item, :, head].t().contiguous()
            for first in range(0, len(query), QUERIES_PER_BLOCK):
                block = slice(first, first + QUERIES_PER_BLOCK)
                scores = _linear(query[block], key, None)
                _torch.softmax(scores, -1, out=scores)
                out[item, block, head] = _linear(scores, value, None)
    return out


def _residual_forward(module: Any, values: _Tensor) -> _Tensor:  # noqa: ANN401 - torch modules
    """Run all residual branches of a layer; (rows, channels, frames) in and out, each row on its own."""
    rows = max(1, RESIDUAL_CHUNK_VALUES // (values.shape[1] * values.shape[2]))
    if len(values) <= rows:
        return _residual(module, values)
    out = _torch.empty_like(values)
    for first in range(0, len(values), rows):
        out[first : first + rows] = _residual(module, values[first : first + rows])
    return out


def _residual(module: Any, values: _Tensor) -> _Tensor:  # noqa: ANN401 - torch modules
    for narrow, norm, _, widen, norm_wide, gate, scale in module.layers:
        hidden = norm(narrow(values))
        _torch.ops.aten.gelu_(hidden)
        branch = gate(norm_wide(widen(hidden)))
        values = _torch.addcmul(values, branch, scale.scale[:, None])
    return values
