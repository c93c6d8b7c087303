"""neural-tangents' side: the same kernels as `landscape bench`, by name."""

import sys

import jax
import neural_tangents as nt

from jax_side import cnn, mlp, uniform
from side import kernel_name, serve

NETWORKS = {"mlp": mlp, "cnn": cnn}


def kernel(network, what):
    kind, count = kernel_name(what)
    p, apply, shape = NETWORKS[network]()
    x = uniform(count, *shape)

    def way(implementation):
        function = jax.jit(nt.empirical_ntk_fn(
            lambda p, x: apply(p, x), trace_axes=() if kind == "full" else (-1,), vmap_axes=0,
            implementation=implementation))

        def run():
            jax.block_until_ready(function(x, None, p))

        run.__name__ = implementation.name.lower()
        return run

    ways = [way(nt.NtkImplementation.STRUCTURED_DERIVATIVES)]
    weights = sum(leaf.size for leaf in jax.tree_util.tree_leaves(p))
    # Jacobians of the MLP take 38 GB; products of one vector at a time take minutes where there are thousands of rows.
    if count * 10 * weights * 4 < 4e9:
        ways.append(way(nt.NtkImplementation.JACOBIAN_CONTRACTION))
    if kind == "trace" and count * weights < 1e8:
        ways.append(way(nt.NtkImplementation.NTK_VECTOR_PRODUCTS))
    return ways


def prepare(name):
    group, network, what = name.split("/")
    return {"kernel": kernel}[group](network, what)


if __name__ == "__main__":
    if "--version" in sys.argv:
        print(f"neural-tangents {nt.__version__}, JAX {jax.__version__}")
    else:
        serve(prepare)
