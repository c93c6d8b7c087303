"""PyTorch, curvlinops or PyHessian on the problem of `spectrum.py`: `spectrum_side.py PEER INPUTS LABELS WEIGHTS`.

A request is a line `WHAT WAY [NUMBER …]`: what to measure, how the peer is to do it, and how much of it. The answer is a line of
JSON: the seconds of that one run, its Hessian-vector products and its results. `ways` lists the peer's ways."""

import importlib.metadata
import json
import os
import sys

import numpy
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn
from torch.func import functional_call, grad, jvp

from side import seconds
from torch_side import cnn

BATCHES = (50, 100, 500, 2000)


class Problem:
    def __init__(self, inputs, labels, weights):
        self.model = cnn()
        self.model.load_state_dict(load_file(weights))
        self.model.eval()
        self.parameters = list(self.model.parameters())
        self.x = torch.tensor(numpy.load(inputs)).float() / 255
        self.y = torch.tensor(numpy.load(labels)).long()
        self.direction = [torch.randn_like(p) for p in self.parameters]

    def batches(self, size):
        return list(zip(self.x.split(size), self.y.split(size)))

    def loss(self, x, y):
        return F.cross_entropy(self.model(x), y)


class PyTorch:
    """Batches in turn, by `jvp(grad)` or by double backward."""

    def __init__(self, problem):
        self.problem = problem
        self.ways = [f"{kind}-{size}" for kind in ("jvp", "double") for size in BATCHES]

    def prepare(self, what, way):
        kind, size = way.split("-")
        problem, batches = self.problem, self.problem.batches(int(size))
        weights = {key: p.detach() for key, p in problem.model.named_parameters()}
        direction = dict(zip(weights, problem.direction))

        def gradient():
            for x, y in batches:
                torch.autograd.grad(problem.loss(x, y), problem.parameters)

        def jvp_of_gradient():
            for x, y in batches:
                jvp(grad(lambda w: F.cross_entropy(functional_call(problem.model, w, (x,)), y)), (weights,), (direction,))

        def double_backward():
            for x, y in batches:
                first = torch.autograd.grad(problem.loss(x, y), problem.parameters, create_graph=True)
                torch.autograd.grad(first, problem.parameters, problem.direction)

        return {"gradient": gradient, "product": jvp_of_gradient if kind == "jvp" else double_backward}[what]


class Curvlinops:
    """`HessianLinearOperator` with data in batches of a size."""

    def __init__(self, problem):
        self.problem = problem
        self.ways = [str(size) for size in BATCHES]

    def prepare(self, what, way, *numbers):
        from curvlinops import HessianLinearOperator, hutchinson_trace, hutchpp_trace
        from curvlinops.papyan2020traces import spectrum
        from scipy.sparse.linalg import eigsh

        problem, count = self.problem, [0]

        class Counted(HessianLinearOperator):
            def _matmat(self, matrix):
                count[0] += matrix[0].shape[-1]
                return super()._matmat(matrix)

        matrix = Counted(
            problem.model, nn.CrossEntropyLoss(), problem.parameters, problem.batches(int(way)), check_deterministic=False)
        direction = torch.cat([part.flatten() for part in problem.direction])

        def eigenvalues(number, tolerance):
            found = eigsh(matrix.to_scipy(), k=int(number), which="LA", tol=tolerance, return_eigenvectors=False)
            return {"values": sorted(found.tolist(), reverse=True)}

        def trace(products):
            # All columns of a block go through the network at once: blocks of 30 fit into memory.
            blocks, rest = divmod(int(products), 30)
            parts = [30] * blocks + [rest] * (rest > 0)
            return {"trace": sum(part * hutchinson_trace(matrix, part).item() for part in parts) / int(products)}

        def trace_plus(products):
            return {"trace": hutchpp_trace(matrix, int(products)).item()}

        def density(probes, steps):
            # Its curve is smoothed; the quadratures behind it are what can be compared.
            rules, lanczos = [], spectrum.fast_lanczos
            spectrum.fast_lanczos = lambda *arguments: rules.append(lanczos(*arguments)) or rules[-1]
            try:
                spectrum.lanczos_approximate_spectrum(matrix, int(steps), num_repeats=int(probes))
            finally:
                spectrum.fast_lanczos = lanczos
            return quadrature([(nodes.tolist(), (vectors[0] ** 2).tolist()) for nodes, vectors in rules])

        return counted({
            "product": lambda: matrix @ direction, "eigenvalues": eigenvalues, "trace": trace, "trace++": trace_plus,
            "density": density,
        }[what], numbers, count)


class PyHessian:
    """`hessian` with a gradient whose graph is kept, or with batches in turn."""

    def __init__(self, problem):
        self.problem = problem
        self.ways = ["kept"] + [str(size) for size in BATCHES[:-1]]

    def prepare(self, what, way, *numbers):
        from pyhessian import hessian as make

        module = sys.modules["pyhessian.hessian"]
        problem, count = self.problem, [0]

        def counting(product):
            def run(*arguments):
                count[0] += 1
                return product(*arguments)
            return run

        data = {"data": (problem.x, problem.y)} if way == "kept" else {"dataloader": problem.batches(int(way))}
        matrix = make(problem.model, nn.CrossEntropyLoss(), cuda=False, **data)
        matrix.dataloader_hv_product = counting(matrix.dataloader_hv_product)
        plain = module.hessian_vector_product

        def product():
            problem.model.zero_grad()
            if way == "kept":
                plain(matrix.gradsH, matrix.params, problem.direction)
            else:
                matrix.dataloader_hv_product(problem.direction)

        def eigenvalues(number, iterations, tolerance):
            values, _ = matrix.eigenvalues(maxIter=int(iterations), tol=tolerance, top_n=int(number))
            return {"values": sorted(values, reverse=True)}

        def trace(products=100, tolerance=1e-3):
            return {"trace": float(numpy.mean(matrix.trace(maxIter=int(products), tol=tolerance)))}

        def density(probes, steps):
            return quadrature(list(zip(*matrix.density(iter=int(steps), n_v=int(probes)))))

        # It calls a function that PyTorch no longer has.
        torch.eig = symmetric_eigenproblem
        run = counted(
            {"product": product, "eigenvalues": eigenvalues, "trace": trace, "density": density}[what], numbers, count)

        def with_count():
            module.hessian_vector_product = counting(plain)
            try:
                return run()
            finally:
                module.hessian_vector_product = plain

        return with_count


def symmetric_eigenproblem(matrix, eigenvectors):
    values, vectors = torch.linalg.eigh(matrix)
    return torch.stack([values, torch.zeros_like(values)], 1), vectors


def quadrature(rules):
    """The mean of several quadratures."""
    return {
        "nodes": [float(node) for nodes, _ in rules for node in nodes],
        "weights": [float(weight) / len(rules) for _, weights in rules for weight in weights],
    }


def counted(run, numbers, count):
    def once():
        count[0] = 0
        found = run(*numbers)
        return {**(found if isinstance(found, dict) else {}), "products": count[0]}
    return once


def main():
    peer = {"torch": PyTorch, "curvlinops": Curvlinops, "pyhessian": PyHessian}[sys.argv[1]]
    torch.set_num_threads(int(os.environ.get("PEER_THREADS", "2")))
    torch.manual_seed(0)
    side, ready = peer(Problem(*sys.argv[2:5])), {}
    for line in sys.stdin:
        what, *rest = line.split()
        if what == "ways":
            print(json.dumps(side.ways), flush=True)
            continue
        found = {}
        try:
            if line not in ready:
                ready.clear()  # Only what is in use takes memory.
                ready[line] = side.prepare(what, rest[0], *map(float, rest[1:]))
            run = ready[line]
            answer = {"seconds": seconds(lambda: found.update(run() or {})), **found}
        except Exception as error:  # An answer is due whatever happens.
            answer = {"problem": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    if "--version" in sys.argv:
        names = {"torch": "torch", "curvlinops": "curvlinops-for-pytorch", "pyhessian": "PyHessian"}
        print(f"{sys.argv[1]} {importlib.metadata.version(names[sys.argv[1]])}")
    else:
        main()
