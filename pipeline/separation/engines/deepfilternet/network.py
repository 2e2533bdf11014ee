"""DeepFilterNet's network by onnxruntime, which hears many frames at once.

The authors' library hears one frame after another, which takes about five times as long for the same result. The three
parts of the network come as ONNX files for whole sounds; here their recurrent layers and convolutions over time are
given what they knew at the end of the piece before, so that a sound of any length goes through in pieces.
"""

import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import SeparationError
from pipeline.models.onnx_session import open_session
from pipeline.separation.engines.deepfilternet.spectra import (
    BANDS,
    BINS,
    FILTERED_BINS,
    HOP_SAMPLES,
    Analysis,
    Features,
    Mono,
    Spectra,
    Synthesis,
    band_widths,
)

FILTER_FRAMES: Final = 5
"""Frames that make one filtered frame: two before, itself and two after."""
LOOKAHEAD_FRAMES: Final = 2
"""Frames after a frame that the network hears before it decides on it."""
DELAY_SAMPLES: Final = (LOOKAHEAD_FRAMES + 1) * HOP_SAMPLES
FEATURE_CONTEXT: Final = 2
"""Frames before a frame that the encoder's convolutions hear."""
PATHWAY_CONTEXT: Final = 4
"""The same of the convolution between encoder and filter."""
PATHWAY_CHANNELS: Final = 64
STATE_SIZE: Final = 256
"""Of a recurrent layer."""
GROUPED_PRODUCT: Final = b"btgi,gih->btgh"
"""A linear layer for each group of channels, as the network's files have it."""
ENCODER_OUTPUTS: Final = ("e0", "e1", "e2", "e3", "emb", "c0")

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A part of the network, whose recurrent layers take and give their states."""

    session: Any
    states: int
    """How many recurrent layers there are."""

    def run(self, outputs: tuple[str, ...], inputs: dict[str, Array], states: list[Array]) -> list[Array]:
        """Run the part, and put the new states in the place of the old ones."""
        given = inputs | {_state_name(number): state for number, state in enumerate(states)}
        names = [*outputs, *(_next_name(number) for number in range(self.states))]
        made = cast("list[Array]", self.session.run(names, given))
        states[:] = made[len(outputs) :]
        return made[: len(outputs)]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeepFilterNetwork:
    """The loaded network; several channels may use it at once."""

    encoder: _Part
    band_decoder: _Part
    filter_decoder: _Part

    @classmethod
    def load(cls, path: Path) -> Self:
        """Load the network from the archive of its authors.

        Raises:
            SeparationError: The archive is not one of DeepFilterNet 3.
        """
        try:
            with tarfile.open(path, "r:gz") as archive:
                files = {Path(member.name).name: archive.extractfile(member) for member in archive if member.isfile()}
                parts = {name: file.read() for name, file in files.items() if file is not None}
            return cls(
                encoder=_load_part(parts["enc.onnx"], recurrent=1, padded=2),
                band_decoder=_load_part(parts["erb_dec.onnx"], recurrent=2, padded=0),
                filter_decoder=_load_part(parts["df_dec.onnx"], recurrent=2, padded=1),
            )
        except (KeyError, ValueError, tarfile.TarError, OSError, EOFError) as error:
            raise SeparationError(
                "The network of DeepFilterNet cannot be read.", hint="Run `make env`.", detail=f"{path}: {error}"
            ) from error


class ChannelFilter:
    """The network for one channel, whose samples it takes in order."""

    def __init__(self, network: DeepFilterNetwork) -> None:
        self._network = network
        self._analysis, self._synthesis = Analysis(), Synthesis()
        self._band_widths = band_widths()
        self._encoder_states = _no_states(network.encoder)
        self._band_states = _no_states(network.band_decoder)
        self._filter_states = _no_states(network.filter_decoder)
        self._levels: Array = np.zeros((1, 1, FEATURE_CONTEXT, BANDS), np.float32)
        self._bins: Array = np.zeros((1, 2, FEATURE_CONTEXT, FILTERED_BINS), np.float32)
        self._pathway: Array = np.zeros((1, PATHWAY_CHANNELS, PATHWAY_CONTEXT, FILTERED_BINS), np.float32)
        self._spectra: Spectra = np.zeros((FILTER_FRAMES - 1, BINS), np.complex64)

    def process(self, samples: Mono) -> Mono:
        """Find the speech in the next samples, delayed by `DELAY_SAMPLES`.

        Args:
            samples: Shape (samples,) at 48 kHz, a whole number of hops.

        Returns:
            The same shape.
        """
        if not len(samples):
            return samples
        spectra, features = self._analysis.analyse(samples)
        gains, taps = self._hear(features)
        known = np.concatenate([self._spectra, spectra])
        self._spectra = known[len(known) - len(self._spectra) :]
        frames = len(spectra)
        middle = FILTER_FRAMES - 1 - LOOKAHEAD_FRAMES
        speech = known[middle : middle + frames] * np.repeat(gains, self._band_widths, axis=1)
        speech[:, :FILTERED_BINS] = sum(
            known[tap : tap + frames, :FILTERED_BINS] * taps[:, :, tap] for tap in range(FILTER_FRAMES)
        )
        return self._synthesis.synthesise(speech)

    def _hear(self, features: Features) -> tuple[Array, Spectra]:
        """Compute gains of bands, shape (frames, BANDS), and taps, shape (frames, FILTERED_BINS, FILTER_FRAMES)."""
        network = self._network
        levels = np.concatenate([self._levels, features.levels[None, None]], axis=2)
        bins = np.concatenate([self._bins, features.bins[None]], axis=2)
        self._levels, self._bins = levels[:, :, -FEATURE_CONTEXT:], bins[:, :, -FEATURE_CONTEXT:]
        inputs = {"feat_erb": levels, "feat_spec": bins}
        e0, e1, e2, e3, embedding, c0 = network.encoder.run(ENCODER_OUTPUTS, inputs, self._encoder_states)
        inputs = {"emb": embedding, "e0": e0, "e1": e1, "e2": e2, "e3": e3}
        (gains,) = network.band_decoder.run(("m",), inputs, self._band_states)
        pathway = np.concatenate([self._pathway, c0], axis=2)
        self._pathway = pathway[:, :, -PATHWAY_CONTEXT:]
        inputs = {"emb": embedding, "c0": pathway}
        (taps,) = network.filter_decoder.run(("coefs",), inputs, self._filter_states)
        pairs = taps.reshape(-1, FILTERED_BINS, FILTER_FRAMES, 2)
        return gains[0, 0], np.asarray(pairs[..., 0] + 1j * pairs[..., 1], np.complex64)


def _no_states(part: _Part) -> list[Array]:
    return [np.zeros((1, 1, STATE_SIZE), np.float32) for _ in range(part.states)]


def _load_part(data: bytes, *, recurrent: int, padded: int) -> _Part:
    """Open a part that takes states and context; raise `ValueError` unless it has so many layers of each kind."""
    import onnx

    model = cast("Any", onnx).load_from_string(data)
    graph = model.graph
    layers = [node for node in graph.node if node.op_type == "GRU"]
    pads = [node for node in graph.node if node.op_type == "Pad"]
    if (len(layers), len(pads)) != (recurrent, padded):
        raise ValueError(f"{len(layers)} recurrent layers and {len(pads)} paddings, expected {recurrent} and {padded}")
    helper, float32 = cast("Any", onnx).helper, cast("Any", onnx).TensorProto.FLOAT
    shape = [1, 1, STATE_SIZE]
    for number, layer in enumerate(layers):
        layer.input[5] = _state_name(number)
        layer.output[1] = _next_name(number)
        graph.input.append(helper.make_tensor_value_info(_state_name(number), float32, shape))
        graph.output.append(helper.make_tensor_value_info(_next_name(number), float32, shape))
    # Without the zeros that stand for what was before the sound, a convolution takes what was really there.
    sources = {pad.output[0]: pad.input[0] for pad in pads}
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = sources.get(name, name)
    _replace_einsums(graph, helper)
    # Channels run side by side, with a thread each.
    return _Part(session=open_session(model.SerializeToString(), threads=1), states=recurrent)


def _replace_einsums(graph: Any, helper: Any) -> None:  # noqa: ANN401 - onnx has no types
    """Write the grouped linear layers as matrix products, which onnxruntime computes several times as fast."""
    nodes: list[Any] = []
    for node in graph.node:
        if node.op_type != "Einsum" or node.attribute[0].s != GROUPED_PRODUCT:
            nodes.append(node)
            continue
        (inputs, weights), (output,) = node.input, node.output
        turned, product = f"{output}-turned", f"{output}-product"
        nodes += [
            helper.make_node("Transpose", [inputs], [turned], perm=[0, 2, 1, 3]),
            helper.make_node("MatMul", [turned, weights], [product]),
            helper.make_node("Transpose", [product], [output], perm=[0, 2, 1, 3]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)


def _state_name(number: int) -> str:
    return f"state{number}"


def _next_name(number: int) -> str:
    return f"next{number}"
