// Sum or maximum over some axes of a chain whose operands lie side by side, or repeat, along the innermost kept axis:
// PANELS vectors of V neighbouring results per work-item.
//
// Work-items (block of results along the innermost kept axis, rest of the kept axes, slice of the terms). The last block
// is moved left until it fits, and writes only results that are its own. Sixteen terms are joined plainly, their sums
// added with compensation.
//
// Macros: those of `reduce_terms`, PANELS. Geometry: results; terms; terms per slice; number of kept axes; number of
// reduced axes; every kept axis; every reduced axis.
#ifndef PANELS
#define PANELS 1
#endif
#define COLUMNS (PANELS * V)

// Joins the term at p to every sum, and moves to the next one.
#define JOIN_TERM                                \
    {                                            \
        _Pragma("unroll")                        \
        for (int q = 0; q < PANELS; q++) {       \
            const VECTOR more = TERMS(p, q * V); \
            sum[q] = PLUS(sum[q], more);         \
        }                                        \
        FN(_move)(p, 1, inner);                  \
    }

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void NAME(OPERANDS, global REAL *restrict y, long y0, global const INDEX *g, int g0 CONSTANTS) {
    g += g0;
    const INDEX across = g[3] - 1, last = g[4] - 1, slice = (INDEX)get_global_id(2);
    global const INDEX *kept = g + 5, *reduced = kept + g[3] * AXIS, *inner = reduced + last * AXIS;
    const INDEX width = kept[across * AXIS], own = (INDEX)get_global_id(0) * COLUMNS;
    const INDEX first = own < width - COLUMNS ? own : width - COLUMNS, line = (INDEX)get_global_id(1);
    global const REAL *start[LOADS] = {STARTS};
    FN(_place)(start, line, kept, across);
    FN(_move)(start, first, kept + across * AXIS);
    const INDEX begin = slice * g[2], end = begin + g[2] < g[1] ? begin + g[2] : g[1];
    VECTOR total[PANELS], lost[PANELS];
#pragma unroll
    for (int q = 0; q < PANELS; q++) {
        total[q] = (VECTOR)(EMPTY);
        lost[q] = (VECTOR)(0);
    }
    for (INDEX term = begin; term < end;) {
        const INDEX row = term / inner[0], position = term - row * inner[0];
        INDEX count = inner[0] - position < end - term ? inner[0] - position : end - term;
        global const REAL *p[LOADS];
#pragma unroll
        for (int l = 0; l < LOADS; l++) p[l] = start[l];
        FN(_place)(p, row, reduced, last);
        FN(_move)(p, position, inner);
        term += count;
        while (count > 0) {
            const INDEX n = count < 16 ? count : 16;
            VECTOR sum[PANELS];
#pragma unroll
            for (int q = 0; q < PANELS; q++) sum[q] = (VECTOR)(EMPTY);
            INDEX i = 0;
            for (; i + 4 <= n; i += 4) {
                JOIN_TERM JOIN_TERM JOIN_TERM JOIN_TERM
            }
            for (; i < n; i++) JOIN_TERM
#pragma unroll
            for (int q = 0; q < PANELS; q++) ADD(VECTOR, total[q], lost[q], sum[q]);
            count -= n;
        }
    }
    y += y0 + (long)slice * g[0] + (long)line * width + first;
    REAL lanes[COLUMNS];
#pragma unroll
    for (int q = 0; q < PANELS; q++) {
#ifndef MAXIMUM
        total[q] = isfinite(total[q]) ? total[q] + lost[q] : total[q];
#endif
        STORE(total[q], lanes + q * V);
    }
    for (INDEX lane = own - first; lane < COLUMNS; lane++) y[lane] = lanes[lane];
}

#undef JOIN_TERM
#undef COLUMNS
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
