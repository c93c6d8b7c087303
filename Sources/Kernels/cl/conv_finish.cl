// The filter gradient from its partial sums: y[filter, channel, u, v] = Σ_piece sums[piece, filter, u, (v, channel)], in
// order.
//
// One work-item per element. Macros: NAME, REAL, WIDE (64-bit indices), GROUP (items per group), FINISH. Geometry: elements;
// pieces; channels; kernel height and width.
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
    const INDEX i = (INDEX)get_global_id(0), count = g[0], channels = g[2], taps = g[3] * g[4];
    if (i >= count) return;
    const INDEX tap = i % taps, line = i / taps, channel = line % channels, filter = line / channels;
    x += x0 + ((long)filter * taps + tap) * channels + channel;
    REAL sum = 0;
    for (INDEX piece = 0; piece < g[1]; piece++) sum += x[(long)piece * count];
    y[y0 + i] = FINISH(sum, i);
}

#undef JOIN
#undef JOIN_
#undef FINISH
#undef FINISH_CONSTANTS
#undef FINISH_OPERANDS
#undef INDEX
