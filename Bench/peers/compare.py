#!/usr/bin/env python3
"""Times landscape beside PyTorch, JAX and neural-tangents, one run of each in turn, and prints Markdown tables.

    python compare.py --landscape .build/release/landscape --torch-python venv/bin/python

Needs nothing but Python itself; each side runs in a process of its own, with its own Python.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent

GEMM = [f"gemm/float32/{n}" for n in ("256", "512", "1024", "2048", "1021x1019x1023", "50000x64x64", "1024x1024x7")]
SHAPES = [
    "N32-C64-56x56-K64-3x3", "N32-C128-28x28-K128-3x3", "N64-C64-32x32-K64-3x3", "N64-C3-32x32-K32-3x3",
    "N64-C1-28x28-K32-3x3", "N128-C16-32x32-K16-3x3", "N128-C32-16x16-K32-3x3", "N128-C64-8x8-K64-3x3",
    "N64-C64-32x32-K64-1x1", "N64-C32-28x28-K64-3x3-stride2",
]
CONVOLUTION = [f"convolution/{role}/{s}" for role in ("forward", "input-gradient", "filter-gradient") for s in SHAPES]
WORK = [
    f"work/{net}/{what}" for net in ("mlp", "cnn", "resnet20") for what in ("loss", "gradient", "hessian-vector")
] + ["work/mlp/training-step", "work/cnn/training-step"]
KERNEL = ["kernel/mlp/full-512", "kernel/mlp/trace-512", "kernel/cnn/full-256", "kernel/cnn/trace-256"]
GROUPS = {"gemm": GEMM, "convolution": CONVOLUTION, "work": WORK, "kernel": KERNEL}
BATCH = 128
MEMORY = [f"work/resnet20/{what}" for what in ("loss", "gradient", "hessian-vector")] + KERNEL


class Side:
    """A process that answers requests for single runs."""

    def __init__(self, name, command, environment):
        self.name, self.command, self.environment = name, command, environment
        self.ways = {}  # What is fastest for a measurement, where there is a choice.
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **self.environment}, cwd=HERE)

    def ask(self, request):
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"problem": "the process ended"}

    def stop(self):
        """Ends the process; returns the most memory it had resident, in MiB."""
        self.process.stdin.close()
        _, _, usage = os.wait4(self.process.pid, 0)
        self.process.returncode = 0
        return usage.ru_maxrss / 1024


def alternate(sides, name, repeats, budget, ways):
    """Seconds of each side's runs, taken in turn; None for a side that has no such measurement. `ways` collects how a
    side with a choice does it."""
    taken = {}
    for side in sides:
        answer = side.ask(name)
        taken[side.name] = None if "problem" in answer else []
        if "problem" in answer:
            print(f"{side.name}, {name}: {answer['problem']}", file=sys.stderr)
        elif answer.get("way"):
            # Of several ways to the same result, this was the fastest.
            ways.append(f"{side.name} takes {answer['way']} for {name}")
            side.ways[name] = answer["way"]
    begin = time.monotonic()
    for count in range(repeats):
        if count >= 3 and time.monotonic() - begin > budget:
            break
        for side in sides:
            if taken[side.name] is not None:
                # Worker threads of the side before spin for a while after their work.
                time.sleep(0.01)
                # The first run brings its threads and caches back; the second counts.
                side.ask(name)
                taken[side.name].append(side.ask(name)["seconds"])
    return taken


def show(value):
    for limit, scale, unit in ((1e-3, 1e6, "µs"), (1, 1e3, "ms")):
        if value < limit:
            return f"{value * scale:.3g} {unit}"
    return f"{value:.3g} s"


def table(title, sides, names, options):
    others = sides[1:]
    ours = sides[0].name
    head = ["measurement", ours] + [o.name for o in others] + [f"{o.name} / {ours} (minima)" for o in others]
    print(f"\n## {title}\n\n| " + " | ".join(head) + " |\n|---" + "|---:" * (len(head) - 1) + "|")
    ways = []
    for name in names:
        taken = alternate(sides, name, options.repeats, options.budget, ways)
        if taken[ours] is None:
            continue
        cells = [name.split("/", 1)[1]]
        for side in sides:
            values = taken[side.name]
            cell = "–" if not values else f"{show(statistics.median(values))} ({show(min(values))})"
            if values and name.endswith("training-step"):
                cell += f", {BATCH / statistics.median(values):.0f} images/s"
            cells.append(cell)
        for side in others:
            values = taken[side.name]
            # Neighbouring runs see the same machine: the median of paired ratios.
            ratios = values and [b / a for a, b in zip(taken[ours], values)]
            least = values and min(values) / min(taken[ours])
            cells.append("–" if not ratios else f"{statistics.median(ratios):.2f} ({least:.2f})")
        print("| " + " | ".join(cells) + " |", flush=True)
    print("".join(f"\n{way}" for way in ways))


def memory(sides, names):
    head = ["measurement"] + [s.name for s in sides] + [f"{s.name}, above idle" for s in sides]
    print("\n## Peak memory, MiB\n\n| " + " | ".join(head) + " |\n|---" + "|---:" * (len(head) - 1) + "|")

    def peak(side, request):
        side.start()
        request = f"{request} {side.ways[request]}" if request in side.ways else request
        answered = [side.ask(request) for _ in range(2)] if request else []
        most = side.stop()
        return None if any("problem" in answer for answer in answered) else most

    idle = {side.name: peak(side, "") for side in sides}
    for name in names:
        peaks = {side.name: peak(side, name) for side in sides}
        cells = [name.split("/", 1)[1]]
        cells += ["–" if peaks[s.name] is None else f"{peaks[s.name]:.0f}" for s in sides]
        cells += ["–" if peaks[s.name] is None else f"{peaks[s.name] - idle[s.name]:.0f}" for s in sides]
        print("| " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--landscape", default="landscape", help="the command")
    parser.add_argument("--device", default="cpu", help="landscape's device")
    parser.add_argument("--winograd", action="store_true", help="landscape takes minimal filtering")
    parser.add_argument("--torch-python", help="a Python with requirements.txt")
    parser.add_argument("--jax-python", help="a Python with requirements-jax.txt")
    parser.add_argument("--nt-python", help="a Python with requirements-nt.txt")
    parser.add_argument("--threads", type=int, default=2, help="processor cores for each side")
    parser.add_argument("--repeats", type=int, default=21, help="runs of each side")
    parser.add_argument("--budget", type=float, default=15, help="seconds after which 3 runs of each are enough")
    parser.add_argument("--only", action="append", choices=[*GROUPS, "memory"], help="may be repeated")
    options = parser.parse_args()

    cores = sorted(os.sched_getaffinity(0))[: options.threads]
    os.sched_setaffinity(0, cores)
    environment = {
        "PEER_THREADS": str(len(cores)), "OMP_NUM_THREADS": str(len(cores)), "MKL_NUM_THREADS": str(len(cores)),
        "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONDONTWRITEBYTECODE": "1",
    }
    landscape = options.landscape
    if os.sep in landscape:
        landscape = str(pathlib.Path(landscape).resolve())
    commands = [("landscape", [landscape, "bench", "--serve", "--device", options.device, *(["--winograd"] if options.winograd else [])])]
    for name, python in (("torch", options.torch_python), ("jax", options.jax_python), ("nt", options.nt_python)):
        if python:
            script = str(HERE / f"{name}_side.py")
            version = subprocess.run(
                [python, script, "--version"], capture_output=True, text=True, env={**os.environ, **environment})
            if version.returncode != 0:
                parser.error(f"{python} cannot run {script}: {version.stderr.strip().splitlines()[-1]}")
            print(version.stdout.strip())
            commands.append((name, [python, script]))
    print(f"{len(cores)} cores, load {os.getloadavg()[0]:.2f}; medians (minima); a ratio above 1: landscape is faster")

    sides = [Side(name, command, environment) for name, command in commands]
    for group in options.only or [*GROUPS, "memory"]:
        if group != "memory":
            table(group, sides, GROUPS[group], options)
    for side in sides:
        side.stop()
    if not options.only or "memory" in options.only:
        memory(sides, MEMORY)


if __name__ == "__main__":
    main()
