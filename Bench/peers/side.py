"""What both Python sides share: the protocol of `landscape bench --serve`, and names of measurements.

A side reads names from stdin, one per line and perhaps followed by the way to take, and answers each with a line of JSON that holds the seconds of one run.
The first request for a name prepares and warms it up.
"""

import json
import re
import sys
import time


class Convolution:
    """Extents from a name such as `N64-C32-28x28-K64-3x3-stride2`."""

    def __init__(self, name):
        found = re.fullmatch(r"N(\d+)-C(\d+)-(\d+)x\d+-K(\d+)-(\d+)x\d+(?:-stride(\d+))?", name)
        self.images, self.channels, self.size, self.filters, self.kernel = map(int, found.groups()[:5])
        self.stride = int(found.group(6) or 1)
        self.padding = self.kernel // 2
        self.result = (self.size + 2 * self.padding - self.kernel) // self.stride + 1
        self.x = (self.images, self.channels, self.size, self.size)
        self.w = (self.filters, self.channels, self.kernel, self.kernel)
        self.y = (self.images, self.filters, self.result, self.result)


def product(name):
    """Extents m, n, k from `1024` or `1021x1019x1023`."""
    extents = [int(part) for part in name.split("x")]
    return extents * 3 if len(extents) == 1 else extents


def kernel_name(name):
    """Kind and number of samples from `full-256`."""
    kind, count = name.split("-")
    return kind, int(count)


def serve(prepare):
    """Answers requests. `prepare` makes a function that does one run and waits for it; a list of functions stands for
    several ways to the same result, of which the fastest is kept."""
    ready = {}
    for line in sys.stdin:
        name, *wanted = line.split()
        try:
            if name not in ready:
                ready[name] = chosen(prepare(name), wanted)
            run, way = ready[name]
            answer = {"id": name, "seconds": seconds(run), "way": way}
        except Exception as error:  # An answer is due whatever happens.
            answer = {"id": name, "problem": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def chosen(ways, wanted):
    """The fastest of several ways with its name, or the only way; warmed up. Ways that fail, for want of memory, are
    left out while there are others, and all but the wanted ones if some are named."""
    if not isinstance(ways, list):
        seconds(ways)
        return ways, None
    ways = [way for way in ways if not wanted or way.__name__ in wanted]
    taken, problem = {}, ValueError(f"no way is called {wanted}")
    for way in ways:
        try:
            seconds(way)
            taken[way] = min(seconds(way) for _ in range(2))
        except Exception as error:
            problem = error
    if not taken:
        raise problem
    best = min(taken, key=taken.get)
    return best, best.__name__


def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
