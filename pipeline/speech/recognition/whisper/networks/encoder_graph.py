"""The graph of Whisper's encoder."""

from pipeline.speech.recognition.whisper.networks.graph_writer import CONTRIBUTED, Graph, GraphWriter, Sizes, Weights

MEL, FEATURES = "mel", "features"
"""Names of input and output."""


def write_encoder(weights: Weights, sizes: Sizes) -> Graph:
    """Write the graph from the mel spectrum of a window, (windows, bands, frames), to its features."""
    writer = GraphWriter(sizes, weights)
    bands = weights["encoder.conv1.weight"].shape[1]
    positions = weights["encoder.positional_embedding"]
    sound = writer.take(MEL, ("windows", bands, 2 * len(positions)))
    for index, stride in ((1, 1), (2, 2)):
        names = (f"encoder.conv{index}.weight", f"encoder.conv{index}.bias")
        kept = [writer.keep(name, weights[name]) for name in names]
        made = writer.add("Conv", [sound, *kept], kernel_shape=[3], pads=[1, 1], strides=[stride])
        sound = writer.activate(made)
    values = writer.add("Transpose", [sound], perm=[0, 2, 1])
    values = writer.add("Add", [values, writer.keep("positions", positions)])
    for index in range(sizes.layers):
        layer = f"encoder.blocks.{index}"
        values = writer.feed_forward(_attend(writer, values, f"{layer}.attn"), layer)
    writer.normalise(values, "encoder.ln_post", FEATURES)
    writer.give(FEATURES, ("windows", len(positions), sizes.width))
    return writer.finish()


def _attend(writer: GraphWriter, values: str, attention: str) -> str:
    normal = writer.normalise(values, f"{attention}_ln")
    given = [
        writer.multiply(normal, f"{attention}.query.weight", f"{attention}.query.bias"),
        writer.multiply(normal, f"{attention}.key.weight"),
        writer.multiply(normal, f"{attention}.value.weight", f"{attention}.value.bias"),
    ]
    # It never holds the scores of all frames by all frames.
    mixed = writer.add("MultiHeadAttention", given, domain=CONTRIBUTED, num_heads=writer.sizes.heads)
    return writer.add("Add", [values, writer.multiply(mixed, f"{attention}.out.weight", f"{attention}.out.bias")])
