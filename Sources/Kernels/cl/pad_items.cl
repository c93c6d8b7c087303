// result[i] = operand[…] where element i lies on the operand's grid, else 0.
//
// One work-item per element of the result. Macros: NAME, REAL, WIDE (64-bit indices), GROUP (items per
// group), RANK (axes). Geometry: count; then per axis, outermost first, nine numbers: extent of the result
// with its magic number and shift, where the grid starts, its step with magic number and shift, extent of
// the operand, stride of the operand.
#ifndef NAME
#define NAME pad_items
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
#ifndef RANK
#define RANK 2
#endif

// n divided by g[at]; the magic number that follows makes a multiplication of it.
#ifdef WIDE
#define QUOTIENT(n, at) ((n) / g[at])
#else
#define QUOTIENT(n, at) ((INDEX)(((ulong)(uint)(n) * (uint)g[(at) + 1]) >> g[(at) + 2]))
#endif

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void NAME(global const REAL *x, long x0, global REAL *restrict y, long y0, global const INDEX *g, int g0) {
    x += x0;
    y += y0;
    g += g0;
    const INDEX i = (INDEX)get_global_id(0);
    if (i >= g[0]) return;
    INDEX rest = i, offset = 0;
    int inside = 1;
#pragma unroll
    for (int axis = RANK - 1; axis >= 0; axis--) {
        const int at = 1 + 9 * axis;
        const INDEX outer = QUOTIENT(rest, at);
        const INDEX distance = rest - outer * g[at] - g[at + 3];
        const INDEX ahead = distance < 0 ? 0 : distance;
        const INDEX place = QUOTIENT(ahead, at + 4);
        inside &= distance >= 0 && place * g[at + 4] == ahead && place < g[at + 7];
        offset += place * g[at + 8];
        rest = outer;
    }
    y[i] = inside ? x[offset] : (REAL)0;
}

#undef QUOTIENT
#undef INDEX
