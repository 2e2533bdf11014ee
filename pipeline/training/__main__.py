"""The steps from packages to weights, as commands."""

import argparse
import json
import logging
import signal
import sys
from pathlib import Path

from pipeline.separation.engines.background.network.base import MaskNetwork, NetworkConfig
from pipeline.separation.engines.background.network.masks import build_network
from pipeline.separation.engines.background.network.spectrogram import SAMPLE_RATE
from pipeline.separation.engines.background.network.tensors import seed_weights
from pipeline.separation.engines.background.network.weights import load_weights
from pipeline.training.baselines import split_at_the_floor
from pipeline.training.evaluation import HeldOut, bootstrap_interval, summary
from pipeline.training.material import cache as material_cache
from pipeline.training.material import manifest, test_list
from pipeline.training.material.kinds import Split
from pipeline.training.material.packages import read_packages
from pipeline.training.means import write_mean
from pipeline.training.mixes.mixing import PARTS, Mixer, MixRecipe, evaluation_recipe
from pipeline.training.mixes.pool import load_pools
from pipeline.training.spleeter_start import listening, start_from_spleeter, with_hints, with_notes
from pipeline.training.training import WEIGHTS, Trainer, TrainingConfig, prepare_processor

VALIDATION_SEED = 77
VALIDATION_MIXES = 200
CROP_S = 2.95
"""128 spectra of a hop of 1024 frames, so that the tiles of a U-net need no filling up."""


def main() -> None:
    """Run the command that was asked for."""
    arguments = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    prepare_processor(arguments.threads)
    cache: Path = arguments.cache
    if arguments.command in ("material", "recipe"):
        material_cache.prepare(read_packages(), cache)
    if arguments.command == "freeze":
        _print(test_list.freeze(manifest.read(cache / material_cache.MANIFEST)))
    if arguments.command == "sources":
        _print(manifest.describe(manifest.read(arguments.manifest), material_cache.SAMPLE_RATE))
    if arguments.command == "mean":
        _print(write_mean(arguments.weights, arguments.target, confidence=arguments.confidence))
    if arguments.command in ("train", "recipe"):
        _train(arguments, cache)
    if arguments.command in ("evaluate", "recipe"):
        _evaluate(getattr(arguments, "weights", None) or arguments.run / WEIGHTS, cache)


def _train(arguments: argparse.Namespace, cache: Path) -> None:
    sources = manifest.read(cache / material_cache.MANIFEST)
    test_list.check(sources)
    recipe = MixRecipe(seconds=CROP_S, sample_rate=SAMPLE_RATE)
    mixer = Mixer(load_pools(sources, cache, Split.TRAIN), recipe)
    valid = Mixer(load_pools(sources, cache, Split.VALID), evaluation_recipe(seconds=6.0, v3_share=0.7))
    config = TrainingConfig(
        seed=arguments.seed,
        batch=arguments.batch,
        budget_s=arguments.budget,
        cooldown=arguments.cooldown,
        learning_rate=arguments.rate,
        contrast=arguments.contrast,
        dropout=arguments.dropout,
        evaluate_every_s=600.0,
    )
    held_out = HeldOut(valid, VALIDATION_MIXES, VALIDATION_SEED)
    trainer = Trainer(_network(arguments), mixer, held_out, config, arguments.run)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: trainer.stop())
    trainer.run()


def _network(arguments: argparse.Namespace) -> MaskNetwork:
    if (arguments.run / WEIGHTS).exists():
        return listening(load_weights(arguments.run / WEIGHTS))
    seed_weights(arguments.seed)
    known = [load_weights(path) for path in arguments.start_from]
    if not known and not arguments.start_from_spleeter:
        return build_network(NetworkConfig(**json.loads(arguments.network)))
    network = known[0] if known else start_from_spleeter()
    confidence: float = arguments.confidence
    if arguments.hints:
        network, confidence = with_hints(network, confidence=confidence), 1.0
    if arguments.notes:
        network = with_notes(network, confidence=confidence)
    return listening(network)


def _evaluate(weights: Path, cache: Path) -> None:
    """Print medians and intervals on the frozen test mixes."""
    sources = manifest.read(cache / material_cache.MANIFEST)
    test_list.check(sources)
    network = listening(load_weights(weights))
    pools = load_pools(sources, cache, Split.TEST)
    for name, share, count, seed in test_list.MIXES:
        mixes = HeldOut(Mixer(pools, evaluation_recipe(seconds=10.0, v3_share=share)), count, seed)
        rows = {
            "background": mixes.measure(lambda waves: waves[:, None].expand(-1, len(PARTS), -1, -1)),
            "fixed mask": mixes.measure_fixed(),
            "events and bed": mixes.measure(split_at_the_floor),
            "network": mixes.measure(lambda waves: network.separate(waves, SAMPLE_RATE)),
            "ideal ratio mask": mixes.measure_ideal(),
        }
        for row, measured in rows.items():
            for part, figures in measured.items():
                interval = bootstrap_interval(figures.gain_db)
                _print(json.dumps({"set": name, "by": row, "part": part, **summary(figures), "interval": interval}))


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipeline.training", description=__doc__)
    parser.add_argument("--cache", type=Path, default=material_cache.default_cache())
    parser.add_argument("--threads", type=int, default=2)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("material", help="fetch, sort and resample the packages")
    commands.add_parser("freeze", help="write the list of test recordings; done once")
    for name, text in (("train", "train, or go on training, the run in a folder"), ("recipe", "all steps")):
        _add_training(commands.add_parser(name, help=text))
    evaluate = commands.add_parser("evaluate", help="figures on the frozen test mixes")
    evaluate.add_argument("weights", type=Path)
    mean = commands.add_parser("mean", help="the mean of several files of weights")
    mean.add_argument("target", type=Path, help="file to write")
    mean.add_argument("weights", type=Path, nargs="+")
    mean.add_argument("--confidence", type=float, default=1.0, help="what its logits are multiplied by")
    sources = commands.add_parser("sources", help="a table of a manifest's packages")
    sources.add_argument("manifest", type=Path)
    return parser


def _add_training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, help="folder of the run")
    parser.add_argument("--budget", type=float, default=3600, help="processor seconds, or seconds on a card")
    parser.add_argument("--cooldown", type=float, default=0.0, help="last part of the budget with a falling rate")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="learning rate of new weights")
    parser.add_argument("--contrast", type=float, default=0.0, help="how much more parts count that come out well")
    parser.add_argument("--dropout", type=float, default=0.0, help="share of deep values left out by chance")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--network", default="{}", help="sizes of the network, JSON")
    parser.add_argument("--start-from", type=Path, nargs=1, default=(), help="weights to begin with")
    parser.add_argument("--hints", action="store_true", help="tell the network that is begun with more of its input")
    parser.add_argument("--notes", action="store_true", help="tell the network that is begun with where notes sound")
    parser.add_argument("--confidence", type=float, default=1.0, help="what its logits are multiplied by with these")
    parser.add_argument("--start-from-spleeter", action="store_true", help="a U-net with what Spleeter's knows")


if __name__ == "__main__":
    main()
