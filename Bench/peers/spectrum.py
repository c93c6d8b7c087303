#!/usr/bin/env python3
"""Spectra by landscape beside PyTorch, curvlinops and PyHessian on one problem; prints Markdown tables.

    python spectrum.py --landscape .build/release/landscape --torch-python venv/bin/python --mnist FOLDER --work FOLDER

Needs nothing but Python itself; the peers run in warm processes with their own Python. landscape answers for single products
through `bench --serve`; for spectra a process is started for every run, and its start counts.
"""

import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import time

from compare import HERE, Side, show
from spectrum_problem import COUNT, SUBSET, Problem
from spectrum_quadrature import distance

PEERS = ("torch", "curvlinops", "pyhessian")
TABLES = ("product", "eigenvalues", "trace", "work", "density")
TOP = 5


class Landscape:
    """The command; an answer has what its JSON has, with the seconds and the memory of the process in MiB."""

    def __init__(self, command, device, problem):
        self.command, self.device, self.problem = command, device, problem

    def spectrum(self, *options, subset=False, precision="float32"):
        start = time.perf_counter()
        process = subprocess.Popen(
            [self.command, "spectrum", *self.problem.arguments(subset), "--device", self.device, "--precision", precision,
             "--batch-size", "50", "--json", *map(str, options)], stdout=subprocess.PIPE, text=True)
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        if status:
            sys.exit("landscape failed")
        return {**json.loads(text), "seconds": time.perf_counter() - start, "memory": usage.ru_maxrss / 1024}

    def kept(self, name, *options, **how):
        """A reference: computed once, then read from the folder."""
        path = self.problem.folder / f"{name}.json"
        if not path.exists():
            print(f"computing {path.name}", file=sys.stderr)
            path.write_text(json.dumps(self.spectrum(*options, **how)))
        return json.loads(path.read_text())


def answer(side, request):
    """A peer's answer, with a line on stderr; None if it has none."""
    found = side.ask(request)
    if "problem" in found:
        print(f"{side.name}, {request}: {found['problem']}", file=sys.stderr)
        return None
    print(f"{side.name}, {request}: {found['seconds']:.2f} s, {found.get('products', '')}", file=sys.stderr)
    return found


def fastest_ways(sides):
    """The way of each peer whose product takes least time, by its second run."""
    best = {}
    for side in sides:
        taken = {}
        for way in side.ask("ways"):
            runs = [answer(side, f"product {way}") for _ in range(2)]
            if runs[-1]:
                taken[way] = runs[-1]["seconds"]
        best[side.name] = min(taken, key=taken.get)
        print(f"{side.name} takes {best[side.name]} for products")
    return best


def table(title, head, rows):
    print(f"\n## {title}\n\n| " + " | ".join(head) + " |\n|---" + "|---:" * (len(head) - 1) + "|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    sys.stdout.flush()


def products(server, sides, ways, options):
    """A product and a gradient over all images, one run of each side in turn."""
    names = {"product": "work/cnn/hessian-vector-2000", "gradient": "work/cnn/gradient-2000"}
    taken = {}
    for count in range(options.rounds + 1):
        for what in names:
            runs = [("landscape", server.ask(names[what]))]
            runs += [
                (side.name, side.ask(f"{what} {ways[side.name]}")) for side in sides
                if what == "product" or side.name == "torch"]
            for name, run in runs:
                if count > 0:  # The first round warms up.
                    taken.setdefault((name, what), []).append(run["seconds"])
    ours = taken["landscape", "product"]
    rows = []
    for (name, what), values in taken.items():
        base = taken["landscape", what]
        ratio = statistics.median(b / a for a, b in zip(base, values))
        rows.append([f"{name}, {what}", f"{show(statistics.median(values))} ({show(min(values))})",
                     f"{ratio:.2f} ({min(values) / min(base):.2f})"])
    table("One product or gradient over 2,000 images", ["", "median (minimum)", "over landscape's"], rows)
    for name in ("landscape", "torch"):
        if (name, "gradient") in taken:
            pairs = zip(taken[name, "gradient"], taken[name, "product"])
            print(f"\n{name}: a product takes {statistics.median(b / a for a, b in pairs):.2f} gradients")


def count(options):
    return SUBSET if options.small else COUNT


def eigenvalues(landscape, sides, ways, options):
    truth = landscape.kept(
        f"reference-eigenvalues-{count(options)}", "--top", TOP, "--tolerance", 1e-9, precision="float64",
        subset=options.small)["eigenvalues"]
    print("\nreference:", ", ".join(f"{value:.9g}" for value in truth))
    requests = {"curvlinops": "{way} 5 1e-4", "pyhessian": "{way} 5 100 1e-3"}
    runs = {}
    for _ in range(options.long_rounds):
        found = landscape.spectrum("--top", TOP, "--tolerance", 1e-4, "--accept", "values", subset=options.small)
        found.update(values=found["eigenvalues"], products=found["eigenvalueProducts"])
        runs.setdefault("landscape", []).append(found)
        for side in sides:
            if side.name in requests:
                # A process of its own: its most memory is that of this work.
                side.start()
                found = answer(side, "eigenvalues " + requests[side.name].format(way=ways[side.name]))
                memory = side.stop()
                side.start()
                if found:
                    runs.setdefault(side.name, []).append({**found, "memory": memory})
    report(f"Five largest eigenvalues, {count(options)} images", runs, "largest relative error", lambda run: "{:.1e} ({})".format(
        max(abs(a / b - 1) for a, b in zip(run["values"], truth)),
        ", ".join(f"{abs(a / b - 1):.0e}" for a, b in zip(run["values"], truth))))


def report(title, runs, measure, error):
    rows, ours = [], [run["seconds"] for run in runs["landscape"]]
    for name, found in runs.items():
        seconds = [run["seconds"] for run in found]
        ratio = statistics.median(b / a for a, b in zip(ours, seconds))
        rows.append([
            name, " ".join(show(value) for value in seconds), f"{ratio:.2f}", str(found[0]["products"]),
            show(statistics.median(seconds) / found[0]["products"]), error(found[0]),
            f"{found[0]['memory']:.0f}" if "memory" in found[0] else "–"])
    table(title, ["", "runs", "over landscape's", "products", "time per product", measure, "peak MiB"], rows)


def trace(landscape, sides, ways, options):
    truth = landscape.kept(
        f"reference-trace-{count(options)}", "--trace", 0.05, subset=options.small)
    pilot = landscape.kept(f"pilot-trace-{count(options)}", "--trace", "--probes", 40, subset=options.small)
    share = options.trace_accuracy
    print(f"\nreference: {truth['trace']:.5g} ± {truth['traceStandardError']:.2g}; accuracy asked for: ±{share:.0%} at 95 %")
    # What Hutchinson's estimator needs, by the spread of its 40 probes.
    spread = pilot["traceStandardError"] * math.sqrt(40)
    needed = math.ceil((1.96 * spread / (share * truth["trace"])) ** 2)
    found = landscape.spectrum("--trace", share, subset=options.small)
    found.update(products=found["traceProducts"])
    runs, error = {"landscape": [found]}, lambda run: f"{run['trace'] / truth['trace'] - 1:+.1%}"
    thirds = 3 * math.ceil(found["products"] / 3)
    requests = {
        "curvlinops": [("curvlinops, Hutchinson", f"trace {{way}} {needed}"), ("curvlinops, Hutch++", f"trace++ {{way}} {thirds}")],
        "pyhessian": [("pyhessian", f"trace {{way}} {needed} 0"), ("pyhessian, its defaults", "trace {way}")],
    }
    for side in sides:
        for name, request in requests.get(side.name, []):
            run = answer(side, request.format(way=ways[side.name]))
            if run:
                runs[name] = [run]
    report(f"Trace to ±{share:.0%}, {count(options)} images", runs, "error", error)


def work(landscape, sides, ways, options):
    """The same work for every side, one run of each in turn: Hutchinson's estimator and Lanczos quadrature with as many products."""
    products, steps = options.trace_products, options.steps
    names = {"trace": f"Trace from {products} products", "density": f"Density from one probe of {steps} steps"}
    requests = {"trace": f"trace {{way}} {products}", "density": f"density {{way}} 1 {steps}"}
    for what, title in names.items():
        runs = {}
        for _ in range(options.long_rounds):
            if what == "trace":
                found = landscape.spectrum("--trace", "--probes", products, subset=options.small)
                found["products"] = found["traceProducts"]
            else:
                found = landscape.spectrum("--density", "--probes", 1, "--lanczos-steps", steps, subset=options.small)
                found["products"] = steps
            runs.setdefault("landscape", []).append(found)
            for side in sides:
                if side.name != "torch":
                    side.start()
                    more = " 0" if what == "trace" and side.name == "pyhessian" else ""
                    found = answer(side, requests[what].format(way=ways[side.name]) + more)
                    memory = side.stop()
                    side.start()
                    if found:
                        runs.setdefault(side.name, []).append({**found, "memory": memory})
        measure = lambda run: "{:.4g}".format(
            run["trace"] if what == "trace" else max((run["density"] if "density" in run else run)["nodes"]))
        report(f"{title}, {count(options)} images", runs, "trace" if what == "trace" else "largest node", measure)


def density(landscape, sides, ways, options):
    probes, steps = options.probes, 90
    truth = landscape.kept("reference-density", "--density", "--probes", 40, "--lanczos-steps", steps, subset=True)["density"]
    found = landscape.spectrum("--density", "--probes", probes, "--lanczos-steps", steps, subset=True)
    found.update(found["density"], products=probes * steps)
    runs = {"landscape": [found]}
    for side in sides:
        if side.name != "torch":
            run = answer(side, f"density {ways[side.name]} {probes} {steps}")
            if run:
                runs[side.name] = [run]
    scale = sum(abs(node) * weight for node, weight in zip(truth["nodes"], truth["weights"]))
    report(f"Density of 200 images, probes of {steps} steps: {probes}", runs, "L1 distance / mean |λ|",
           lambda run: f"{distance(run, truth) / scale:.3g}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--landscape", default="landscape", help="the command")
    parser.add_argument("--device", default="cpu", help="landscape's device")
    parser.add_argument("--torch-python", required=True, help="a Python with requirements-spectrum.txt")
    parser.add_argument("--mnist", required=True, help="the folder of MNIST's files")
    parser.add_argument("--work", required=True, help="a folder for the problem, kept between runs")
    parser.add_argument("--threads", type=int, default=2, help="processor cores for each side")
    parser.add_argument("--rounds", type=int, default=7, help="runs of single products")
    parser.add_argument("--long-rounds", type=int, default=1, help="runs of eigenvalues and of equal work")
    parser.add_argument("--trace-products", type=int, default=20, help="of equal work")
    parser.add_argument("--steps", type=int, default=45, help="of equal work")
    parser.add_argument("--small", action="store_true", help="200 images for everything but single products")
    parser.add_argument("--trace-accuracy", type=float, default=0.2, help="half of the 95 %% interval, as a share")
    parser.add_argument("--busy", action="store_true", help="peers do not spin at barriers: for a machine with other work")
    parser.add_argument("--probes", type=int, default=10, help="of the density")
    parser.add_argument("--way", action="append", default=[], help="PEER=WAY instead of the fastest")
    parser.add_argument("--only", action="append", choices=TABLES, help="may be repeated")
    options = parser.parse_args()

    cores = sorted(os.sched_getaffinity(0))[: options.threads]
    os.sched_setaffinity(0, cores)
    environment = {
        "PEER_THREADS": str(len(cores)), "OMP_NUM_THREADS": str(len(cores)), "MKL_NUM_THREADS": str(len(cores)),
        "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore",
        **({"OMP_WAIT_POLICY": "passive"} if options.busy else {}),
    }
    command = options.landscape
    if os.sep in command:
        command = str(pathlib.Path(command).resolve())
    problem = Problem(options.work)
    problem.prepare(command, options.mnist)
    landscape = Landscape(command, options.device, problem)
    script = str(HERE / "spectrum_side.py")

    def peers(subset):
        files = [str(path) for path in problem.files(subset)]
        return [Side(name, [options.torch_python, script, name, *files], environment) for name in PEERS]

    chosen = options.only or TABLES
    print(f"{len(cores)} cores, load {os.getloadavg()[0]:.2f}; a ratio above 1: landscape is faster")

    def over(subset, tables):
        """Runs tables that share the peers' processes."""
        if not set(tables) & set(chosen):
            return
        sides = peers(subset)
        ways = dict(pair.split("=") for pair in options.way)
        ways |= fastest_ways([side for side in sides if side.name not in ways])
        for name, run in tables.items():
            if name in chosen:
                run(sides, ways)
        for side in sides:
            side.stop()

    def single(sides, ways):
        server = Side("landscape", [command, "bench", "--serve", "--device", options.device], environment)
        products(server, sides, ways, options)
        server.stop()

    long = {
        "eigenvalues": lambda sides, ways: eigenvalues(landscape, sides, ways, options),
        "trace": lambda sides, ways: trace(landscape, sides, ways, options),
        "work": lambda sides, ways: work(landscape, sides, ways, options),
    }
    few = {"density": lambda sides, ways: density(landscape, sides, ways, options)}
    over(False, {"product": single, **({} if options.small else long)})
    over(True, {**(long if options.small else {}), **few})


if __name__ == "__main__":
    main()
