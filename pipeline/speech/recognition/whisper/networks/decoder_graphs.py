"""The graphs of Whisper's decoder: one step of it, and what it keeps of a window's sound.

Keys are laid out as (rows, heads, head width, places), values as (rows, heads, places, head width): in the order in
which a step reads them.
"""

from typing import Final

import numpy as np

from pipeline.speech.recognition.whisper.networks.graph_writer import Graph, GraphWriter, Sizes, Weights

TOKENS, MASK, LOGITS, FEATURES = "tokens", "mask", "logits", "features"
"""Names of inputs and outputs."""
KEYS, VALUES, SOUND_KEYS, SOUND_VALUES = "keys", "values", "sound_keys", "sound_values"
"""Names of inputs, followed by the number of the layer."""
FIT: Final = "fit"
"""Before the number of a layer: how well the sound fits the tokens, by heads, before the softmax."""
NEXT: Final = "next_"
"""Before the names of keys and values with those of this step."""
_KEYS_ORDER, _VALUES_ORDER = (0, 2, 3, 1), (0, 2, 1, 3)


def write_sound(weights: Weights, sizes: Sizes) -> Graph:
    """Write the graph from a window's features to the keys and values of the sound in each layer."""
    writer = GraphWriter(sizes, weights)
    features = writer.take(FEATURES, ("windows", "frames", sizes.width))
    for index in range(sizes.layers):
        layer = f"decoder.blocks.{index}.cross_attn"
        keys = writer.multiply(features, f"{layer}.key.weight")
        writer.split_heads(keys, _KEYS_ORDER, f"{SOUND_KEYS}{index}")
        values = writer.multiply(features, f"{layer}.value.weight", f"{layer}.value.bias")
        writer.split_heads(values, _VALUES_ORDER, f"{SOUND_VALUES}{index}")
        writer.give(f"{SOUND_KEYS}{index}", ("windows", sizes.heads, sizes.head_width, "frames"))
        writer.give(f"{SOUND_VALUES}{index}", ("windows", sizes.heads, "frames", sizes.head_width))
    return writer.finish()


def write_step(weights: Weights, sizes: Sizes) -> Graph:
    """Write the graph of a step: from embedded tokens, and what earlier steps left, to the scores of the next token.

    All rows may listen to one window.
    """
    writer = GraphWriter(sizes, weights)
    values = writer.take(TOKENS, ("rows", "tokens", sizes.width))
    writer.take(MASK, ("tokens", "places"))
    for index in range(sizes.layers):
        layer = f"decoder.blocks.{index}"
        values = _attend_text(writer, values, layer, index)
        values = _attend_sound(writer, values, layer, index)
        values = writer.feed_forward(values, layer)
    embedding = weights["decoder.token_embedding.weight"]
    writer.keep("projection", embedding.T)
    writer.add("MatMul", [writer.normalise(values, "decoder.ln"), "projection"], LOGITS)
    writer.give(LOGITS, ("rows", "tokens", len(embedding)))
    return writer.finish()


def _attend_text(writer: GraphWriter, values: str, layer: str, index: int) -> str:
    sizes, attention = writer.sizes, f"{layer}.attn"
    normal = writer.normalise(values, f"{attention}_ln")
    queries = writer.multiply(
        normal, f"{attention}.query.weight", f"{attention}.query.bias", float(sizes.head_width**-0.5)
    )
    new = {
        KEYS: writer.split_heads(writer.multiply(normal, f"{attention}.key.weight"), _KEYS_ORDER),
        VALUES: writer.split_heads(
            writer.multiply(normal, f"{attention}.value.weight", f"{attention}.value.bias"), _VALUES_ORDER
        ),
    }
    whole: dict[str, str] = {}
    for name, axis in ((KEYS, 3), (VALUES, 2)):
        axes = np.array(["rows", sizes.heads, sizes.head_width, sizes.head_width], dtype=object)
        axes[axis] = "before"
        earlier = writer.take(f"{name}{index}", list(axes))
        whole[name] = writer.add("Concat", [earlier, new[name]], f"{NEXT}{name}{index}", axis=axis)
        axes[axis] = "places"
        writer.give(whole[name], list(axes))
    mixed = writer.attend(queries, whole[KEYS], whole[VALUES], MASK)
    return writer.add("Add", [values, writer.multiply(mixed, f"{attention}.out.weight", f"{attention}.out.bias")])


def _attend_sound(writer: GraphWriter, values: str, layer: str, index: int) -> str:
    sizes, attention = writer.sizes, f"{layer}.cross_attn"
    queries = writer.multiply(
        writer.normalise(values, f"{attention}_ln"),
        f"{attention}.query.weight",
        f"{attention}.query.bias",
        float(sizes.head_width**-0.5),
    )
    keys = writer.take(f"{SOUND_KEYS}{index}", ("windows", sizes.heads, sizes.head_width, "frames"))
    sound = writer.take(f"{SOUND_VALUES}{index}", ("windows", sizes.heads, "frames", sizes.head_width))
    mixed = writer.attend(queries, keys, sound, scores=f"{FIT}{index}")
    writer.give(f"{FIT}{index}", ("rows", sizes.heads, "tokens", "frames"))
    return writer.add("Add", [values, writer.multiply(mixed, f"{attention}.out.weight", f"{attention}.out.bias")])
