// result[o, index[j], i] += x[o, j, i], in the order of j; an index outside the axis is dropped.
//
// One work-item per column (o, i) of the result, which it clears first: no two items write one element.
// Macros: NAME, REAL, WIDE (64-bit indices), GROUP (items per group). Geometry: number of columns, inner
// extent, number of indices, extent of the axis.
#ifndef NAME
#define NAME scatter_add
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

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void NAME(global const REAL *x, long x0, global const REAL *index, long index0,
          global REAL *restrict y, long y0, global const INDEX *g, int g0) {
    index += index0;
    g += g0;
    const INDEX column = (INDEX)get_global_id(0);
    if (column >= g[0]) return;
    const INDEX inner = g[1], indices = g[2], axis = g[3];
    const INDEX o = column / inner, i = column - o * inner;
    x += x0 + o * indices * inner + i;
    y += y0 + o * axis * inner + i;
    for (INDEX k = 0; k < axis; k++) y[k * inner] = 0;
    for (INDEX j = 0; j < indices; j++) {
        const REAL k = index[j];
        // The last comparison counts where the extent is rounded up in REAL.
        if (k >= 0 && k < (REAL)axis && (INDEX)k < axis) y[(INDEX)k * inner] += x[j * inner];
    }
}

#undef INDEX
