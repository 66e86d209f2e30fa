"""`clockfree restore`: taps and calibration of a bench, from a file."""

from clockfree.commands.checkpoint import Kept
from clockfree.commands.options import Bench


def restore(bench: Bench, file: Kept) -> None:
    from clockfree.commands.lines import say  # --help does without
    from clockfree.link.benchfile import read_bench
    from clockfree.runs import bench_checkpoint

    count = bench_checkpoint.restore(read_bench(bench), str(bench), file)
    say(f"{bench}: taps and calibration of {count} edges are those of {file}")
