// The filter gradient from its partial sums: y[filter, channel, u, v] = Σ_piece sums[piece, filter, place(channel, u, v)],
// in order.
//
// One work-item per element. Macros: NAME, REAL, WIDE (64-bit indices), GROUP (items per group), FINISH. Geometry: elements;
// pieces; channels; kernel height and width; distances in the sums: piece, filter, channel, u, v.
#ifndef NAME
#define NAME conv_finish
#endif
#ifndef REAL
#define REAL float
#endif
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif
#ifndef GROUP
#define GROUP 64
#endif
// What becomes of a result; see `OpenCLEpilogue`.
#ifndef FINISH
#define FINISH_OPERANDS
#define FINISH_CONSTANTS
#define FINISH(value, i) (value)
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void NAME(global const REAL *x, long x0, global REAL *restrict y, long y0 FINISH_OPERANDS, global const INDEX *g,
          int g0 FINISH_CONSTANTS) {
    g += g0;
    const INDEX i = (INDEX)get_global_id(0), count = g[0], channels = g[2];
    if (i >= count) return;
    const INDEX line = i / g[4], v = i - line * g[4], row = line / g[3], u = line - row * g[3];
    const INDEX filter = row / channels, channel = row - filter * channels;
    x += x0 + (long)filter * g[6] + channel * g[7] + u * g[8] + v * g[9];
    REAL sum = 0;
    for (INDEX piece = 0; piece < g[1]; piece++) sum += x[piece * (long)g[5]];
    y[y0 + i] = FINISH(sum, i);
}

#undef JOIN
#undef JOIN_
#undef FINISH
#undef FINISH_CONSTANTS
#undef FINISH_OPERANDS
#undef INDEX
