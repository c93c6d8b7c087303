// Lines of a strided matrix in panels, WIDTH lines side by side for every term; lines past the last are zeros:
// y[(panel·terms + term)·WIDTH + i] = x[(panel·WIDTH + i)·line stride + term·term stride].
//
// Work-items (panel, stretch of 256 terms, batch). One of the two strides is 1. Macros: NAME, REAL, WIDE (64-bit
// indices), WIDTH. Geometry: lines; terms; line stride; term stride; elements between batches of x and of y.
#ifndef NAME
#define NAME pack_panels
#endif
#ifndef REAL
#define REAL float
#endif
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif
#ifndef WIDTH
#define WIDTH 8
#endif

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void NAME(global const REAL *x, long x0, global REAL *restrict y, long y0, global const INDEX *g, int g0) {
    g += g0;
    const INDEX lines = g[0], terms = g[1];
    const long by_line = g[2], by_term = g[3];
    const INDEX first = (INDEX)get_global_id(0) * WIDTH, begin = (INDEX)get_global_id(1) * 256;
    if (first >= lines || begin >= terms) return;
    const INDEX end = terms - begin < 256 ? terms : begin + 256;
    const INDEX count = lines - first < WIDTH ? lines - first : WIDTH;
    x += x0 + (long)get_global_id(2) * g[4] + first * by_line;
    y += y0 + (long)get_global_id(2) * g[5] + (long)first * terms;
    if (by_line == 1 && count == WIDTH) {
        for (INDEX k = begin; k < end; k++)
            for (int i = 0; i < WIDTH; i++) y[(long)k * WIDTH + i] = x[k * by_term + i];
    } else {
        for (int i = 0; i < WIDTH; i++) {
            if (i < count)
                for (INDEX k = begin; k < end; k++) y[(long)k * WIDTH + i] = x[i * by_line + k * by_term];
            else
                for (INDEX k = begin; k < end; k++) y[(long)k * WIDTH + i] = 0;
        }
    }
}

#undef INDEX
