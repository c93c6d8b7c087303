// Copies the lower triangle of square matrices [n, n], one after the other, to their upper triangles.
//
// Work-items (column, row, matrix). Macros: NAME, REAL, WIDE (64-bit indices), GROUP (items per group).
// Geometry: n.
#ifndef NAME
#define NAME mirror
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
void NAME(global REAL *y, long y0, global const INDEX *g, int g0) {
    const INDEX n = g[g0], column = (INDEX)get_global_id(0), row = (INDEX)get_global_id(1);
    if (column >= n || column <= row) return;
    y += y0 + (long)get_global_id(2) * n * n;
    y[row * n + column] = y[column * n + row];
}

#undef INDEX
