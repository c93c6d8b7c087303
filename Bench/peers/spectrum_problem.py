"""The problem of `spectrum.py` as files: 2,000 images of MNIST, the CNN of the other comparisons, weights trained on all
images of MNIST."""

import gzip
import pathlib
import struct
import subprocess

COUNT, SUBSET = 2000, 200
MODEL = """input: [1, 28, 28]
layers:
- conv: {filters: 32, kernel: 3, padding: 1}
- relu
- conv: {filters: 64, kernel: 3, stride: 2, padding: 1}
- relu
- conv: {filters: 64, kernel: 3, stride: 2, padding: 1}
- relu
- flatten
- dense: 10
"""


class Problem:
    """Paths of a problem's files in a folder; what is missing there is made."""

    def __init__(self, folder):
        folder = pathlib.Path(folder).resolve()
        self.folder, self.model = folder, folder / "model.yaml"
        self.weights = folder / "training" / "weights.safetensors"

    def prepare(self, landscape, mnist):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.model.write_text(MODEL)
        images = read(pathlib.Path(mnist) / "train-images-idx3-ubyte.gz", 16)
        labels = read(pathlib.Path(mnist) / "train-labels-idx1-ubyte.gz", 8)
        for count in (COUNT, SUBSET):
            write(self.folder / f"inputs-{count}.npy", images[: count * 784], (count, 1, 28, 28))
            write(self.folder / f"labels-{count}.npy", labels[:count], (count,))
        if not self.weights.exists():
            # A folder that exists has no weights yet: the command goes on where it was stopped.
            subprocess.run(
                [landscape, "train", "--model", self.model, "--data", f"{mnist}:train", "--epochs", "2", "--seed", "0",
                 "--device", "cpu", "--output", self.folder / "training"], check=True)

    def files(self, subset=False):
        """Inputs, labels and weights; of all images or of the first few."""
        count = SUBSET if subset else COUNT
        return self.folder / f"inputs-{count}.npy", self.folder / f"labels-{count}.npy", self.weights

    def arguments(self, subset=False):
        inputs, labels, weights = self.files(subset)
        named = {"--model": self.model, "--weights": weights, "--inputs": inputs, "--labels": labels}
        return [str(part) for pair in named.items() for part in pair]


def read(path, header):
    """The bytes of an IDX file behind its header."""
    with gzip.open(path) as file:
        return file.read()[header:]


def write(path, values, shape):
    """Bytes as an array file; pixels 0 to 255 are scaled to [0, 1] by whoever reads them."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    text = text.ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + values)
