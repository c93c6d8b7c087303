// Partial filter gradients with channels in the lanes: sums[piece, filter, u, (v, channel)] = Σ over the piece's images
// and all positions of cotangent·image. Kernel columns and channels lie side by side in images with their channels last.
//
// A work-item takes a run of (piece, group, block of filters), in this order. Some images at a time it turns images and
// cotangents round in its working memory, and adds their sums, `depth` positions at a time, to those of the piece.
//
// Geometry: runs; blocks of filters; filters of a block; filters; groups; elements of working memory of one item, and of
// the images there; elements of one of these; images together; images; images of a piece; positions; depth; kernel
// height; vectors of a kernel row; elements between kernel rows; top and left zeros' elements; the four numbers of
// `last`; then the element of every position of the images together.
//
// Macros: NAME, REAL, WIDE (64-bit indices), ROWS, PANELS and V (the tile), TABLE, WHOLE.
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define LAST 17
#define TERMS 21

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void NAME(global const REAL *d, long d0, global const REAL *x, long x0, global REAL *y, long y0, global REAL *work,
          long work0, global const INDEX *g, int g0) {
    g += g0;
    const INDEX blocks = g[1], filters = g[3], groups = g[4], batch = g[8], positions = g[11], depth = g[12];
    const INDEX across = g[14], vectors = g[13] * across, tiles = (vectors + PANELS - 1) / PANELS, row = vectors * V;
    const long item = get_global_id(0), items = get_global_size(0), pixels = (long)g[LAST] * g[LAST + 1] * g[LAST + 2];
    global REAL *last = work + work0 + item * g[5], *panels = last + g[6];
    for (INDEX i = 0; i < g[6]; i++) last[i] = 0;
    const INDEX begin = (INDEX)(g[0] * item / items), end = (INDEX)(g[0] * (item + 1) / items);
    for (INDEX run = begin; run < end; run++) {
        const INDEX sheet = run / blocks, filter = (run - sheet * blocks) * g[2];
        const INDEX here = filters - filter < g[2] ? filters - filter : g[2];
        const INDEX piece = sheet / groups, group = sheet - piece * groups;
        const INDEX from = piece * g[10], to = g[9] - from < g[10] ? g[9] : from + g[10];
        global REAL *sums = y + y0 + ((long)sheet * filters + filter) * row;
        for (INDEX n = from; n < to; n += batch) {
            const INDEX count = to - n < batch ? to - n : batch, terms = count * positions;
            for (INDEX i = 0; i < count; i++) {
                const long image = (long)(n + i) * groups + group;
                JOIN(NAME, _last)(x + x0 + image * pixels, g + LAST, last + i * g[7] + g[16]);
                global const REAL *cotangent = d + d0 + (image * filters + filter) * positions;
                for (INDEX f = 0; f < here; f += ROWS)
                    JOIN(NAME, _panel)(cotangent + f * positions, positions, here - f, positions,
                                       panels + (f * batch + i * ROWS) * positions);
            }
            for (INDEX t = 0; t < tiles; t++) {
                const INDEX v = vectors * t / tiles, some = vectors * (t + 1) / tiles - v;
                INDEX at[PANELS], place[PANELS];
                for (int j = 0; j < PANELS; j++) {
                    at[j] = (v + j) / across * g[15] + (v + j) % across * V;
                    place[j] = (v + j) * V;
                }
                for (INDEX k = 0; k < terms; k += depth) {
                    const INDEX part = terms - k < depth ? terms - k : depth;
                    global const INDEX *off = g + TERMS + k;
                    const int adds = n > from || k > 0;
                    for (INDEX f = 0; f < here; f += ROWS) {
                        global const REAL *a = panels + (long)f * batch * positions + (long)k * ROWS;
                        global REAL *c = sums + (long)f * row;
                        const int rows = here - f < ROWS ? here - f : ROWS;
                        if (some == 1) JOIN(NAME, _tile1)(part, a, last, off, at, c, row, 1, place, 0, rows, adds);
#if PANELS > 1
                        if (some == 2) JOIN(NAME, _tile2)(part, a, last, off, at, c, row, 1, place, 0, rows, adds);
#endif
#if PANELS > 2
                        if (some == 3) JOIN(NAME, _tile3)(part, a, last, off, at, c, row, 1, place, 0, rows, adds);
#endif
                    }
                }
            }
        }
    }
}

#undef TERMS
#undef LAST
#undef JOIN
#undef JOIN_
#undef INDEX
