"""The shipped specs, and which of them are too large to run here.

A large spec is checked abstractly (test_specs.py): the shapes of what its module makes and keeps, without a number
computed. The reference for its numbers is an implementation that nobody here wrote, or, where there is none, a twin by
hand with smaller settings. Every other spec has a twin (test_twins.py).
"""

from pathlib import Path

from netc.compiler import check_file
from netc.ir.counts import count

SPECS = sorted((Path(__file__).parents[1] / "specs").glob("*.net"))
MOST_PARAMS, MOST_CONNECTIONS = 5_000_000, 300_000_000

ORIGINALS = {
    "alexnet_one_tower": "torchvision's AlexNet",
    "googlenet": "torchvision's GoogLeNet",
    "gpt2": "Hugging Face's GPT2LMHeadModel",
    "mobilenet_v2": "Keras Applications' MobileNetV2",
    "resnet": "Hugging Face's ResNetForImageClassification",
    "vgg16": "Keras Applications' VGG16",
    "vit": "Hugging Face's ViTForImageClassification",
}
"""The implementations that large specs follow, in padding, strides and epsilons, and are to be compared with."""
SMALLER = ("alexnet", "unet")
"""Large specs that have a twin with smaller settings."""
LARGE = tuple(sorted({*ORIGINALS, *SMALLER}))
SMALL = tuple(spec for spec in SPECS if spec.stem not in LARGE)


def is_large(spec: Path) -> bool:
    counts = [count(program) for program in check_file(str(spec)).programs]
    return any(found.params > MOST_PARAMS or found.connections > MOST_CONNECTIONS for found in counts)
