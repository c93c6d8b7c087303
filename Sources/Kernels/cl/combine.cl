// result[i] = x[0, i] + x[1, i] + …, or their maximum: partial results in a fixed order.
//
// One work-item per result. Macros: NAME, REAL, WIDE (64-bit indices), GROUP (items per group), MAXIMUM
// (else a compensated sum), FINISH. Geometry: number of results, number of partial results of each.
#ifndef NAME
#define NAME combine
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
#pragma OPENCL FP_CONTRACT OFF

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void NAME(global const REAL *x, long x0, global REAL *restrict y, long y0 FINISH_OPERANDS, global const INDEX *g,
          int g0 FINISH_CONSTANTS) {
    g += g0;
    const INDEX i = (INDEX)get_global_id(0), count = g[0], parts = g[1];
    if (i >= count) return;
    x += x0 + i;
    REAL total = x[0];
#ifdef MAXIMUM
    for (INDEX part = 1; part < parts; part++) {
        const REAL value = x[part * count];
        if (value > total || value != value) total = value;  // a NaN stays
    }
#else
    REAL lost = 0;
    for (INDEX part = 1; part < parts; part++) {
        const REAL value = x[part * count], next = total + value, added = next - total;
        lost += (total - (next - added)) + (value - added);
        total = next;
    }
    if (isfinite(total)) total += lost;
#endif
    y[y0 + i] = FINISH(total, i);
}

#undef JOIN
#undef JOIN_
#undef FINISH
#undef FINISH_CONSTANTS
#undef FINISH_OPERANDS
#undef INDEX
