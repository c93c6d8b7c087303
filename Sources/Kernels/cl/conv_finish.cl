// The filter gradient from its partial sums: y[filter, channel, u, v] = Σ_piece sums[piece, filter, place(channel, u, v)],
// in order. The sums of the first piece are written over.
//
// One work-item per filter. Macros: NAME, REAL, WIDE (64-bit indices), FINISH. Geometry: filters; pieces; channels;
// kernel height and width; distances in the sums: piece, filter, channel, u, v.
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif
// What becomes of a result; see `OpenCLEpilogue`.
#ifndef FINISH
#define FINISH_OPERANDS
#define FINISH_CONSTANTS
#define FINISH(value, i) (value)
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void NAME(global REAL *x, long x0, global REAL *restrict y, long y0 FINISH_OPERANDS, global const INDEX *g,
          int g0 FINISH_CONSTANTS) {
    g += g0;
    const INDEX filter = (INDEX)get_global_id(0), channels = g[2], height = g[3], width = g[4], row = g[6];
    x += x0 + (long)filter * row;
    y += y0;
    if (g[1] == 0)
        for (INDEX k = 0; k < row; k++) x[k] = 0;
    for (INDEX piece = 1; piece < g[1]; piece++) {
        global const REAL *restrict next = x + piece * (long)g[5];
        for (INDEX k = 0; k < row; k++) x[k] += next[k];
    }
    INDEX i = filter * channels * height * width;
    for (INDEX channel = 0; channel < channels; channel++)
        for (INDEX u = 0; u < height; u++)
            for (INDEX v = 0; v < width; v++, i++) y[i] = FINISH(x[channel * g[7] + u * g[8] + v * g[9]], i);
}

#undef JOIN
#undef JOIN_
#undef FINISH
#undef FINISH_CONSTANTS
#undef FINISH_OPERANDS
#undef INDEX
