// result[o, j, i] = x[o, index[j], i], zero where the index lies outside the axis.
//
// One work-item per element of the result. Macros: NAME, REAL, WIDE (64-bit indices), GROUP (items per
// group). Geometry: count; inner extent with magic number and shift; number of indices with magic number and
// shift; extent of the axis.
#ifndef NAME
#define NAME gather
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

// n divided by g[at]; the magic number that follows makes a multiplication of it.
#ifdef WIDE
#define QUOTIENT(n, at) ((n) / g[at])
#else
#define QUOTIENT(n, at) ((INDEX)(((ulong)(uint)(n) * (uint)g[(at) + 1]) >> g[(at) + 2]))
#endif

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void NAME(global const REAL *x, long x0, global const REAL *index, long index0,
          global REAL *restrict y, long y0, global const INDEX *g, int g0) {
    x += x0;
    index += index0;
    y += y0;
    g += g0;
    const INDEX element = (INDEX)get_global_id(0);
    if (element >= g[0]) return;
    const INDEX slice = QUOTIENT(element, 1), i = element - slice * g[1];
    const INDEX o = QUOTIENT(slice, 4), j = slice - o * g[4], axis = g[7];
    const REAL k = index[j];
    // The second comparison counts where the extent is rounded up in REAL.
    const int inside = k >= 0 && k < (REAL)axis && (INDEX)k < axis;
    y[element] = inside ? x[(o * axis + (INDEX)k) * g[1] + i] : (REAL)0;
}

#undef QUOTIENT
#undef INDEX
