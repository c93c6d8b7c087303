"""How far apart two densities are, each given by points and weights that sum to 1."""

import math


def distance(first, second):
    """∫ |F − G| dλ over the distribution functions F and G, both smoothed to 1/1000 of the second's range."""
    nodes = second["nodes"]
    width = (max(nodes) - min(nodes)) / 1000
    start, end = min(first["nodes"] + nodes) - 5 * width, max(first["nodes"] + nodes) + 5 * width
    step = width / 2
    grid = [start + step * index for index in range(math.ceil((end - start) / step))]
    return step * sum(abs(a - b) for a, b in zip(smoothed(first, grid, width), smoothed(second, grid, width)))


def smoothed(rule, grid, width):
    """The distribution function at the points of a regular grid, with Gaussians for points."""
    values, changes, step = [0.0] * len(grid), [0.0] * (len(grid) + 1), grid[1] - grid[0]
    for node, weight in zip(rule["nodes"], rule["weights"]):
        # Six widths on, all of the weight is there.
        first = max(0, math.ceil((node - 6 * width - grid[0]) / step))
        last = min(len(grid), math.ceil((node + 6 * width - grid[0]) / step))
        for index in range(first, last):
            values[index] += weight * 0.5 * math.erfc((node - grid[index]) / (width * math.sqrt(2)))
        changes[last] += weight
    total = 0.0
    for index in range(len(grid)):
        total += changes[index]
        values[index] += total
    return values
