// Sum or maximum over some axes of a chain, one result per work-item.
//
// Terms are counted through all reduced axes; item (r, s) takes the terms of slice s of result r and writes result
// s·results + r. Where the terms of a run along the innermost reduced axis lie side by side, 16 vectors of them are
// joined in four sums, else up to 64 terms one by one; these blocks are added with compensation.
//
// Macros: those of `reduce_terms`, GROUP (items per group). Geometry: results; terms; terms per slice; number of kept
// axes; number of reduced axes; whether runs are read in vectors (0 or 1); every kept axis; every reduced axis.
#ifndef GROUP
#define GROUP 16
#endif

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void NAME(OPERANDS, global REAL *restrict y, long y0, global const INDEX *g, int g0 CONSTANTS) {
    g += g0;
    const INDEX result = (INDEX)get_global_id(0), slice = (INDEX)get_global_id(1), last = g[4] - 1;
    if (result >= g[0]) return;
    global const INDEX *kept = g + 6, *reduced = kept + g[3] * AXIS, *inner = reduced + last * AXIS;
    global const REAL *start[LOADS] = {STARTS};
    FN(_place)(start, result, kept, g[3]);
    const INDEX begin = slice * g[2], end = begin + g[2] < g[1] ? begin + g[2] : g[1];
    VECTOR totals = (VECTOR)(EMPTY), losses = (VECTOR)(0);
    REAL total = EMPTY, lost = 0;
    for (INDEX term = begin; term < end;) {
        const INDEX row = term / inner[0], position = term - row * inner[0];
        const INDEX count = inner[0] - position < end - term ? inner[0] - position : end - term;
        global const REAL *p[LOADS];
#pragma unroll
        for (int l = 0; l < LOADS; l++) p[l] = start[l];
        FN(_place)(p, row, reduced, last);
        FN(_move)(p, position, inner);
        INDEX i = 0;
        if (g[5]) {
            for (; i + 16 * V <= count; i += 16 * V) {
                VECTOR sum[4];
#pragma unroll
                for (int j = 0; j < 4; j++) sum[j] = TERMS(p, i + j * V);
#pragma unroll
                for (int j = 4; j < 16; j++) {
                    const VECTOR more = TERMS(p, i + j * V);
                    sum[j % 4] = PLUS(sum[j % 4], more);
                }
                const VECTOR even = PLUS(sum[0], sum[2]), odd = PLUS(sum[1], sum[3]), all = PLUS(even, odd);
                ADD(VECTOR, totals, losses, all);
            }
            VECTOR rest = (VECTOR)(EMPTY);
            for (; i + V <= count; i += V) {
                const VECTOR more = TERMS(p, i);
                rest = PLUS(rest, more);
            }
            ADD(VECTOR, totals, losses, rest);
            FN(_move)(p, i, inner);
        }
        while (i < count) {
            const INDEX stop = count - i < 64 ? count : i + 64;
            REAL sum = EMPTY;
            for (; i < stop; i++, FN(_move)(p, 1, inner)) {
                const REAL more = TERM(p);
                sum = PLUS(sum, more);
            }
            ADD(REAL, total, lost, sum);
        }
        term += count;
    }
    const REAL lanes = FN(_lanes)(&totals);
    total = PLUS(total, lanes);
#ifndef MAXIMUM
    if (isfinite(total)) total += lost + FN(_lanes)(&losses);
#endif
    y[y0 + (long)slice * g[0] + result] = total;
}

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
