"""PyTorch's side: the same measurements as `landscape bench`, by name."""

import os
import sys

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call, grad, jacrev, jvp, vmap

from side import Convolution, kernel_name, product, serve

BATCH = 128


class Subsample(nn.Module):
    """Every second pixel, with channels of zeros at the end: the shortcut without parameters of ResNet-20."""

    def __init__(self, channels):
        super().__init__()
        self.channels = channels

    def forward(self, x):
        x = x[:, :, ::2, ::2]
        return F.pad(x, (0, 0, 0, 0, 0, self.channels - x.shape[1]))


class Block(nn.Module):
    def __init__(self, channels, width, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))
        self.shortcut = Subsample(width) if stride > 1 else nn.Identity()

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


def resnet20():
    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    channels = 16
    for width in (16, 32, 64):
        for block in range(3):
            layers.append(Block(channels, width, 2 if width > 16 and block == 0 else 1))
            channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, 1, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(),
        nn.Conv2d(64, 64, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(64 * 49, 10))


def mlp():
    return nn.Sequential(
        nn.Linear(784, 1024), nn.ReLU(), nn.Linear(1024, 1024), nn.ReLU(), nn.Linear(1024, 10))


NETWORKS = {"resnet20": (resnet20, (3, 32, 32)), "cnn": (cnn, (1, 28, 28)), "mlp": (mlp, (784,))}


def matmul(precision, shape):
    kind = getattr(torch, precision)
    m, n, k = product(shape)
    a, b = torch.rand(m, k, dtype=kind) * 2 - 1, torch.rand(k, n, dtype=kind) * 2 - 1
    c = torch.empty(m, n, dtype=kind)

    def gemm():
        torch.mm(a, b, out=c)

    return gemm


def convolution(role, shape):
    s = Convolution(shape)
    x, w, y = (torch.rand(extents) * 2 - 1 for extents in (s.x, s.w, s.y))
    window = {"stride": s.stride, "padding": s.padding}

    def forward():
        F.conv2d(x, w, **window)

    def input_gradient():
        nn.grad.conv2d_input(s.x, w, y, **window)

    def filter_gradient():
        nn.grad.conv2d_weight(x, s.w, y, **window)

    return {"forward": forward, "input-gradient": input_gradient, "filter-gradient": filter_gradient}[role]


def work(name, what):
    make, shape = NETWORKS[name]
    model = make()
    x, y = torch.rand(BATCH, *shape) * 2 - 1, torch.randint(0, 10, (BATCH,))
    if what == "training-step":
        # In training mode, and with a choice of samples, as ours.
        optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)
        data, labels = torch.rand(8 * BATCH, *shape) * 2 - 1, torch.randint(0, 10, (8 * BATCH,))

        def step():
            chosen = torch.randperm(len(data))[:BATCH]
            optimizer.zero_grad()
            F.cross_entropy(model(data[chosen]), labels[chosen]).backward()
            optimizer.step()

        return step

    model.eval()
    parameters = list(model.parameters())
    named = {key: value.detach() for key, value in model.named_parameters()}
    direction = {key: torch.rand_like(value) * 2 - 1 for key, value in named.items()}

    def loss_at(weights):
        return F.cross_entropy(functional_call(model, weights, (x,)), y)

    def loss():
        with torch.no_grad():
            F.cross_entropy(model(x), y)

    def gradient():
        torch.autograd.grad(F.cross_entropy(model(x), y), parameters)

    def forward_over_reverse():
        jvp(grad(loss_at), (named,), (direction,))

    def double_backward():
        first = torch.autograd.grad(F.cross_entropy(model(x), y), parameters, create_graph=True)
        torch.autograd.grad(sum((a * b).sum() for a, b in zip(first, direction.values())), parameters)

    return {
        "loss": loss, "gradient": gradient, "hessian-vector": [forward_over_reverse, double_backward],
    }[what]


def kernel(name, what):
    """The empirical kernel by Jacobians of every sample, multiplied parameter by parameter or as one matrix."""
    kind, count = kernel_name(what)
    make, shape = NETWORKS[name]
    model = make().eval()
    weights = {key: value.detach() for key, value in model.named_parameters()}
    if count * 10 * sum(value.numel() for value in weights.values()) * 4 > 4e9:
        raise ValueError("the Jacobians of all samples do not fit into memory")
    x = torch.rand(count, *shape) * 2 - 1

    def jacobians():
        def outputs(weights, sample):
            return functional_call(model, weights, (sample[None],))[0]

        rows = vmap(jacrev(outputs), (None, 0))(weights, x)
        return [part.flatten(2) for part in rows.values()]

    def by_parameter():
        sums = "naf,mbf->nmab" if kind == "full" else "naf,maf->nm"
        return sum(torch.einsum(sums, part, part) for part in jacobians())

    def as_one_matrix():
        rows = torch.cat(jacobians(), 2)
        rows = rows.reshape(-1, rows.shape[2]) if kind == "full" else rows.flatten(1)
        return rows @ rows.T

    return [by_parameter, as_one_matrix]


def prepare(name):
    group, first, second = name.split("/")
    return {"gemm": matmul, "convolution": convolution, "work": work, "kernel": kernel}[group](first, second)


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("PEER_THREADS", "2")))
    torch.manual_seed(0)
    if "--version" in sys.argv:
        print(f"PyTorch {torch.__version__}")
    else:
        serve(prepare)
