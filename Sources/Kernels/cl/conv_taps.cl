// Partial filter gradients with positions in the lanes, for few channels: sums[piece, filter, (channel, u, v)] = Σ over
// the piece's images and all positions of cotangent·image.
//
// A work-item takes a run of (piece, group, block of filters), in this order. Vectors run along all of the padded rows,
// where cotangents have zeros; every lane has a sum of its own until the piece ends.
//
// Geometry: runs; blocks of filters; filters of a block; filters; groups; elements of working memory of one item, of a
// padded image, of the cotangents there; images; images of a piece; height and width of a cotangent; vectors; terms,
// and whole tiles of them; the ten numbers of `pad`; then the element of every term.
//
// Macros: NAME, REAL, WIDE (64-bit indices), FILTERS and TAPS (the tile), V.
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR JOIN(REAL, V)
#define LOAD(p) JOIN(vload, V)(0, p)
#define STORE(v, p) JOIN(vstore, V)(v, 0, p)
#define PADDING 15
#define TERMS 25
#pragma OPENCL FP_CONTRACT ON

// sums[f][t] += y[f·line + v·V + lane] · x[off[t] + v·V + lane] for all vectors v.
static APART void JOIN(NAME, _taps)(const INDEX vectors, global const REAL *x, global const INDEX *off, global const REAL *y,
                              const INDEX line, global REAL *sums) {
    VECTOR sum[FILTERS][TAPS];
    global const REAL *from[TAPS];
#pragma unroll
    for (int t = 0; t < TAPS; t++) {
        from[t] = x + off[t];
#pragma unroll
        for (int f = 0; f < FILTERS; f++) sum[f][t] = LOAD(sums + (f * TAPS + t) * V);
    }
    for (INDEX v = 0; v < vectors; v++, y += V) {
        VECTOR right[FILTERS];
#pragma unroll
        for (int f = 0; f < FILTERS; f++) right[f] = LOAD(y + f * line);
#pragma unroll
        for (int t = 0; t < TAPS; t++) {
            const VECTOR left = LOAD(from[t] + v * V);
#pragma unroll
            for (int f = 0; f < FILTERS; f++) sum[f][t] += left * right[f];
        }
    }
#pragma unroll
    for (int t = 0; t < TAPS; t++)
#pragma unroll
        for (int f = 0; f < FILTERS; f++) STORE(sum[f][t], sums + (f * TAPS + t) * V);
}

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void NAME(global const REAL *d, long d0, global const REAL *x, long x0, global REAL *y, long y0, global REAL *work,
          long work0, global const INDEX *g, int g0) {
    g += g0;
    const INDEX blocks = g[1], filters = g[3], groups = g[4], height = g[10], width = g[11], vectors = g[12];
    const INDEX terms = g[13], all = g[14], line = vectors * V, part_w = g[PADDING + 8];
    const INDEX tile = FILTERS * TAPS * V, pixels = g[PADDING] * g[PADDING + 1] * g[PADDING + 2];
    const long item = get_global_id(0), items = get_global_size(0);
    global REAL *padded = work + work0 + item * g[5], *rows = padded + g[6], *lanes = rows + g[7];
    JOIN(NAME, _clear)(padded, g[6] + g[7]);
    const INDEX begin = (INDEX)(g[0] * item / items), end = (INDEX)(g[0] * (item + 1) / items);
    for (INDEX run = begin; run < end; run++) {
        const INDEX sheet = run / blocks, filter = (run - sheet * blocks) * g[2];
        const INDEX here = filters - filter < g[2] ? filters - filter : g[2];
        const INDEX piece = sheet / groups, group = sheet - piece * groups;
        const INDEX from = piece * g[9], to = g[8] - from < g[9] ? g[8] : from + g[9];
        JOIN(NAME, _clear)(lanes, (here + FILTERS - 1) / FILTERS * FILTERS * all * V);
        for (INDEX n = from; n < to; n++) {
            const long image = (long)n * groups + group;
            JOIN(NAME, _pad)(x + x0 + image * pixels, g + PADDING, padded);
            global const REAL *cotangent = d + d0 + (image * filters + filter) * height * width;
            for (INDEX f = 0; f < here; f += FILTERS) {
                // Rows of a filter past the last hold another's, whose sums are not read.
                for (INDEX i = 0; i < FILTERS && f + i < here; i++)
                    for (INDEX h = 0; h < height; h++, cotangent += width)
                        JOIN(NAME, _copy)(cotangent, width, rows + i * line + h * part_w);
                for (INDEX t = 0; t < all; t += TAPS)
                    JOIN(NAME, _taps)(vectors, padded, g + TERMS + t, rows, line,
                                      lanes + (long)(f / FILTERS * (all / TAPS) + t / TAPS) * tile);
            }
        }
        global REAL *sums = y + y0 + ((long)sheet * filters + filter) * terms;
        for (INDEX f = 0; f < here; f++)
            for (INDEX t = 0; t < terms; t++) {
                global const REAL *all_lanes =
                    lanes + (long)(f / FILTERS * (all / TAPS) + t / TAPS) * tile + (f % FILTERS * TAPS + t % TAPS) * V;
                REAL sum = 0;
                for (int l = 0; l < V; l++) sum += all_lanes[l];
                sums[f * terms + t] = sum;
            }
    }
}

#undef TERMS
#undef PADDING
#undef STORE
#undef LOAD
#undef VECTOR
#undef JOIN
#undef JOIN_
#undef INDEX
