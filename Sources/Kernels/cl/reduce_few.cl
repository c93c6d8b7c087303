// Sum or maximum of a few terms (at most 32) of a strided operand, one result per work-item.
//
// Where the terms lie is listed, so there is no arithmetic on axes for each. Macros: NAME, REAL, WIDE (64-bit
// indices), GROUP (items per group), RANK (kept axes), MAXIMUM (else sum). Geometry: results; terms; per kept
// axis, outermost first, its extent with magic number and shift, and its stride; then the offset of every
// term.
#ifndef NAME
#define NAME reduce_few
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
#pragma OPENCL FP_CONTRACT OFF

// n divided by g[at]; the magic number that follows makes a multiplication of it.
#ifdef WIDE
#define QUOTIENT(n, at) ((n) / g[at])
#else
#define QUOTIENT(n, at) ((INDEX)(((ulong)(uint)(n) * (uint)g[(at) + 1]) >> g[(at) + 2]))
#endif

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void NAME(global const REAL *x, long x0, global REAL *restrict y, long y0, global const INDEX *g, int g0) {
    g += g0;
    const INDEX result = (INDEX)get_global_id(0), terms = g[1];
    if (result >= g[0]) return;
    INDEX rest = result, place = 0;
#pragma unroll
    for (int axis = RANK - 1; axis > 0; axis--) {
        const int at = 2 + 4 * axis;
        const INDEX outer = QUOTIENT(rest, at);
        place += (rest - outer * g[at]) * g[at + 3];
        rest = outer;
    }
    x += x0 + place + rest * g[5];
    global const INDEX *offsets = g + 2 + 4 * RANK;
#ifdef MAXIMUM
    REAL total = -INFINITY;
    for (INDEX term = 0; term < terms; term++) {
        const REAL value = x[offsets[term]];
        total = value > total || value != value ? value : total;  // a NaN stays
    }
#else
    REAL a = 0, b = 0, c = 0, d = 0;
    INDEX term = 0;
    for (; term + 4 <= terms; term += 4) {
        a += x[offsets[term]];
        b += x[offsets[term + 1]];
        c += x[offsets[term + 2]];
        d += x[offsets[term + 3]];
    }
    REAL tail = 0;
    for (; term < terms; term++) tail += x[offsets[term]];
    const REAL total = ((a + c) + (b + d)) + tail;
#endif
    y[y0 + result] = total;
}

#undef QUOTIENT
#undef INDEX
