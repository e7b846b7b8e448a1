"""Errors on MNIST's 10,000 test digits of five nets that are trained in one program, and answer together.

Runs are kept (`benchmarks.kept`), so that the table can be made in several sittings.
"""

from benchmarks.digits import Trial, of_trials
from benchmarks.measure import Table

FIVE = Trial("5 of LeNet-5, modern, augmentation", "lenet5_modern", "Augmented", 45, (("ensemble", 5),))


def tables(rounds: int) -> list[Table]:
    return [of_trials("Errors of 10,000 handwritten digits, of ensembles", [FIVE])]
