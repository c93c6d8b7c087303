"""JAX's side: the same measurements as `landscape bench`, by name."""

import sys

import jax
import jax.numpy as jnp
from jax import lax

from side import Convolution, product, serve

BATCH = 128
KEYS = iter(jax.random.split(jax.random.PRNGKey(0), 10_000))


def uniform(*shape, kind=jnp.float32):
    return jax.random.uniform(next(KEYS), shape, kind, -1, 1)


def compiled(function, *arguments):
    """One run of a compiled function, awaited."""
    function = jax.jit(function)

    def run():
        jax.block_until_ready(function(*arguments))

    return run


def matmul(precision, shape):
    m, n, k = product(shape)
    kind = jnp.dtype(precision)
    return compiled(jnp.matmul, uniform(m, k, kind=kind), uniform(k, n, kind=kind))


def conv(x, w, stride=1, padding=0):
    return lax.conv_general_dilated(
        x, w, (stride, stride), [(padding, padding)] * 2, dimension_numbers=("NCHW", "OIHW", "NCHW"))


def convolution(role, shape):
    s = Convolution(shape)
    x, w, y = uniform(*s.x), uniform(*s.w), uniform(*s.y)

    def forward(x, w):
        return conv(x, w, s.stride, s.padding)

    if role == "forward":
        return compiled(forward, x, w)
    if role == "input-gradient":
        return compiled(lambda y, w: jax.linear_transpose(lambda x: forward(x, w), x)(y), y, w)
    return compiled(lambda y, x: jax.linear_transpose(lambda w: forward(x, w), w)(y), y, x)


def dense(inputs, outputs):
    return {"w": uniform(inputs, outputs) / inputs**0.5, "b": uniform(outputs) / inputs**0.5}


def filters(channels, count):
    return uniform(count, channels, 3, 3) / (9 * channels) ** 0.5


def norm(count):
    return {"scale": jnp.ones(count, jnp.float32), "shift": jnp.zeros(count, jnp.float32)}


def normalized(p, x):
    """Batch normalisation in evaluation mode with running mean 0 and variance 1, which XLA must not know."""
    mean, variance = STATE["mean"][: x.shape[1]], STATE["variance"][: x.shape[1]]

    def spread(v):
        return v[None, :, None, None]

    return (x - spread(mean)) * spread(p["scale"] * lax.rsqrt(variance + 1e-5)) + spread(p["shift"])


STATE = {}


def mlp():
    p = [dense(784, 1024), dense(1024, 1024), dense(1024, 10)]

    def apply(p, x):
        for layer in p[:-1]:
            x = jax.nn.relu(x @ layer["w"] + layer["b"])
        return x @ p[-1]["w"] + p[-1]["b"]

    return p, apply, (784,)


def cnn():
    widths = [(1, 32, 1), (32, 64, 2), (64, 64, 2)]
    p = {"convs": [{"w": filters(a, b), "b": uniform(b) * 0.1} for a, b, _ in widths], "dense": dense(3136, 10)}

    def apply(p, x):
        for layer, (_, _, stride) in zip(p["convs"], widths):
            x = jax.nn.relu(conv(x, layer["w"], stride, 1) + layer["b"][None, :, None, None])
        return x.reshape(x.shape[0], -1) @ p["dense"]["w"] + p["dense"]["b"]

    return p, apply, (1, 28, 28)


def resnet20():
    blocks, plan, channels = [], [], 16
    for width in (16, 32, 64):
        for block in range(3):
            plan.append((width, 2 if width > 16 and block == 0 else 1))
            blocks.append(
                {"w1": filters(channels, width), "n1": norm(width), "w2": filters(width, width), "n2": norm(width)})
            channels = width
    p = {"first": filters(3, 16), "norm": norm(16), "blocks": blocks, "dense": dense(64, 10)}

    def apply(p, x):
        x = jax.nn.relu(normalized(p["norm"], conv(x, p["first"], 1, 1)))
        for block, (width, stride) in zip(p["blocks"], plan):
            body = jax.nn.relu(normalized(block["n1"], conv(x, block["w1"], stride, 1)))
            body = normalized(block["n2"], conv(body, block["w2"], 1, 1))
            if stride > 1:
                x = jnp.pad(x[:, :, ::2, ::2], ((0, 0), (0, width - x.shape[1]), (0, 0), (0, 0)))
            x = jax.nn.relu(body + x)
        return x.mean((2, 3)) @ p["dense"]["w"] + p["dense"]["b"]

    return p, apply, (3, 32, 32)


def work(name, what):
    p, apply, shape = {"mlp": mlp, "cnn": cnn, "resnet20": resnet20}[name]()
    x, y = uniform(BATCH, *shape), jax.random.randint(next(KEYS), (BATCH,), 0, 10)
    state = {"mean": jnp.zeros(64, jnp.float32), "variance": jnp.ones(64, jnp.float32)}

    def loss(p, x, y, state):
        STATE.update(state)
        return -jnp.take_along_axis(jax.nn.log_softmax(apply(p, x)), y[:, None], 1).mean()

    if what == "loss":
        return compiled(loss, p, x, y, state)
    if what == "gradient":
        return compiled(jax.grad(loss), p, x, y, state)
    if what == "hessian-vector":
        v = jax.tree_util.tree_map(lambda a: uniform(*a.shape), p)

        def product_with(p, v, x, y, state):
            return jax.jvp(lambda p: jax.grad(loss)(p, x, y, state), (p,), (v,))[1]

        return compiled(product_with, p, v, x, y, state)
    if what == "training-step" and name != "resnet20":
        data, labels = uniform(8 * BATCH, *shape), jax.random.randint(next(KEYS), (8 * BATCH,), 0, 10)

        @jax.jit
        def step(key, p, momentum, data, labels):
            key, part = jax.random.split(key)
            chosen = jax.random.permutation(part, len(data))[:BATCH]
            slope = jax.grad(loss)(p, data[chosen], labels[chosen], state)
            momentum = jax.tree_util.tree_map(lambda m, g: 0.9 * m + g, momentum, slope)
            return key, jax.tree_util.tree_map(lambda a, m: a - 1e-4 * m, p, momentum), momentum

        now = [next(KEYS), p, jax.tree_util.tree_map(jnp.zeros_like, p)]

        def run():
            now[:] = jax.block_until_ready(step(*now, data, labels))

        return run
    raise ValueError(f"no measurement {what}")


def prepare(name):
    group, first, second = name.split("/")
    return {"gemm": matmul, "convolution": convolution, "work": work}[group](first, second)


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    if "--version" in sys.argv:
        print(f"JAX {jax.__version__}")
    else:
        serve(prepare)
