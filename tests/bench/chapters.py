"""How well the chapters of long recordings are those of their topics.

    .venv/bin/python -m tests.bench.chapters [--half tune|held] [--recordings 40] [--search]

The recordings are made of texts on different subjects (`chapters_set`). The weights were chosen on the half `tune`
(`--search`) and are reported on the half `held`, which has other subjects. Counted are borders found within 15 s, Pk
(Beeferman et al. 1999) and WindowDiff (Pevzner and Hearst 2002) by seconds; lower is better for the last two. Beside
them stands what equal pieces give, as many as there are topics.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from itertools import product

from rich.console import Console
from rich.table import Table

from pipeline.chapters.segmentation import DEFAULT_WEIGHTS, Weights, find_chapters
from tests.bench.chapters_set import Recording, recordings

NEAR_S = 15.0


def borders_of(recording: Recording, weights: Weights) -> tuple[float, ...]:
    return tuple(chapter.start for chapter in find_chapters(recording.transcript, weights)[1:])


def equal_pieces(recording: Recording) -> tuple[float, ...]:
    count = len(recording.borders) + 1
    return tuple(recording.transcript.duration * number / count for number in range(1, count))


def matched(found: Sequence[float], wanted: Sequence[float]) -> int:
    """How many borders are near one that is wanted, each of which counts once."""
    left = list(wanted)
    for border in found:
        near = [each for each in left if abs(each - border) <= NEAR_S]
        if near:
            left.remove(min(near, key=lambda each: abs(each - border)))
    return len(wanted) - len(left)


def errors(found: Sequence[float], wanted: Sequence[float], duration: float) -> tuple[float, float]:
    """Pk and WindowDiff, by windows of half a topic's mean length."""
    window = duration / (len(wanted) + 1) / 2
    places = [float(second) for second in range(int(duration - window))]
    counts = [
        (
            sum(place < border <= place + window for border in found),
            sum(place < border <= place + window for border in wanted),
        )
        for place in places
    ]
    size = max(len(counts), 1)
    return sum((a > 0) != (b > 0) for a, b in counts) / size, sum(a != b for a, b in counts) / size


def score(made: Sequence[tuple[Recording, Sequence[float]]]) -> tuple[float, float, float, float, float]:
    """Precision, recall and F1 of the borders, mean Pk and mean WindowDiff."""
    right = sum(matched(found, recording.borders) for recording, found in made)
    given, wanted = sum(len(found) for _, found in made), sum(len(each.borders) for each, _ in made)
    precision, recall = right / max(given, 1), right / max(wanted, 1)
    both = [errors(found, each.borders, each.transcript.duration) for each, found in made]
    f1 = 2 * precision * recall / max(precision + recall, 1e-9)
    pk, window_diff = (statistics.mean(column) for column in zip(*both, strict=True))
    return precision, recall, f1, pk, window_diff


def search(made: Sequence[Recording], console: Console) -> None:
    """Try weights; print the best by Pk."""
    tried: list[tuple[float, float, Weights]] = []
    for border, pause, speaker in product((5.5, 7.5, 10.0), (2.0, 8.0), (0.5,)):
        weights = Weights(border=border, pause=pause, speaker=speaker)
        _, _, f1, pk, _ = score([(each, borders_of(each, weights)) for each in made])
        tried.append((pk, f1, weights))
    for pk, f1, weights in sorted(tried, key=lambda each: each[0])[:8]:
        console.print(f"Pk {pk:.3f}  F1 {f1:.2f}  {weights}", highlight=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=["tune", "held"], default="held")
    parser.add_argument("--recordings", type=int, default=40)
    parser.add_argument("--search", action="store_true")
    options = parser.parse_args()
    console = Console(width=120)
    made = recordings(options.half, options.recordings)
    minutes = sum(each.transcript.duration for each in made) / 60
    console.print(
        f"{len(made)} recordings of {minutes / len(made):.0f} min, {sum(len(r.borders) for r in made)} borders"
    )
    if options.search:
        search(made, console)
    table = Table("", "precision", "recall", "F1", "Pk", "WindowDiff")
    began = time.process_time()
    found = [(each, borders_of(each, DEFAULT_WEIGHTS)) for each in made]
    spent = (time.process_time() - began) / len(made)
    rows = {"chapters": found, "equal pieces": [(r, equal_pieces(r)) for r in made], "none": [(r, ()) for r in made]}
    for name, pairs in rows.items():
        table.add_row(name, *(f"{value:.2f}" for value in score(pairs)))
    console.print(table)
    console.print(f"computed in {spent:.2f} s for each")
    for chapter in find_chapters(made[0].transcript):
        console.print(f"  {chapter.start:7.1f}  {chapter.title}", highlight=False, markup=False)


if __name__ == "__main__":
    main()
