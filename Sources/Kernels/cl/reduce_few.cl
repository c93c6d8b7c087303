// Sum or maximum of a few terms (at most 32) of a chain, one result per work-item.
//
// Where the terms lie is listed, so there is no arithmetic on axes for each. Macros: those of `reduce_terms`, GROUP
// (items per group), RANK (kept axes). Geometry: results; terms; per kept axis, outermost first, its extent with magic
// number and shift, and every operand's stride; then the offsets of every term, one for each operand.
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
void NAME(OPERANDS, global REAL *restrict y, long y0, global const INDEX *g, int g0 CONSTANTS) {
    g += g0;
    const INDEX result = (INDEX)get_global_id(0), terms = g[1];
    if (result >= g[0]) return;
    global const REAL *start[LOADS] = {STARTS};
    INDEX rest = result;
#pragma unroll
    for (int axis = RANK - 1; axis >= 0; axis--) {
        const int at = 2 + (3 + LOADS) * axis;
        const INDEX outer = axis > 0 ? QUOTIENT(rest, at) : 0;
        FN(_move)(start, rest - outer * g[at], g + at + 2);
        rest = outer;
    }
    global const INDEX *offsets = g + 2 + (3 + LOADS) * RANK;
    REAL total = EMPTY;
    for (INDEX term = 0; term < terms; term++, offsets += LOADS) {
        global const REAL *p[LOADS];
#pragma unroll
        for (int l = 0; l < LOADS; l++) p[l] = start[l] + offsets[l];
        const REAL more = TERM(p);
        total = PLUS(total, more);
    }
    y[y0 + result] = total;
}

#undef QUOTIENT
#undef ADD
#undef PLUS
#undef EMPTY
#undef AXIS
#undef TERMS
#undef TERM
#undef STARTS
#undef CONSTANTS
#undef OPERANDS
#undef LOADS
#undef STORE
#undef LOAD
#undef VECTOR
#undef FN
#undef JOIN
#undef JOIN_
#undef INDEX
