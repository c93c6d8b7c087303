// Sum or maximum over some axes of a strided operand whose innermost kept axis is contiguous: V neighbouring
// results per work-item.
//
// Work-items (block of V results along the innermost kept axis, rest of the kept axes, slice of the terms).
// The last block is moved left until it fits, and writes only results that are its own. Sixteen terms are
// added plainly, their sums with compensation. Macros: NAME, REAL, WIDE (64-bit indices), V (lanes, at least
// 2), MAXIMUM (else sum). Geometry: results; terms; terms per slice; extent of the innermost kept axis;
// number of other kept axes; number of reduced axes; extent and stride of every other kept axis, then of
// every reduced axis.
#ifndef NAME
#define NAME reduce_columns
#endif
#ifndef REAL
#define REAL float
#endif
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif
#ifndef V
#define V 4
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR JOIN(REAL, V)
#define LOAD(p) JOIN(vload, V)(0, p)
#define STORE(v, p) JOIN(vstore, V)(v, 0, p)
#pragma OPENCL FP_CONTRACT OFF

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void NAME(global const REAL *x, long x0, global REAL *restrict y, long y0, global const INDEX *g, int g0) {
    g += g0;
    const INDEX width = g[3], own = (INDEX)get_global_id(0) * V, slice = (INDEX)get_global_id(2);
    const INDEX first = own < width - V ? own : width - V;
    const INDEX kept_rank = g[4], last = g[5] - 1;
    global const INDEX *kept = g + 6, *reduced = kept + 2 * kept_rank;
    x += x0 + first;
    INDEX rest = (INDEX)get_global_id(1);
    y += y0 + (long)slice * g[0] + rest * width + first;
    for (INDEX axis = kept_rank - 1; axis >= 0; axis--) {
        const INDEX outer = rest / kept[2 * axis];
        x += (long)(rest - outer * kept[2 * axis]) * kept[2 * axis + 1];
        rest = outer;
    }
    const INDEX run = reduced[2 * last], stride = reduced[2 * last + 1];
    const INDEX begin = slice * g[2], end = begin + g[2] < g[1] ? begin + g[2] : g[1];
#ifdef MAXIMUM
    VECTOR total = (VECTOR)(-INFINITY);
#else
    VECTOR total = (VECTOR)(0), lost = (VECTOR)(0);
#endif
    for (INDEX term = begin; term < end;) {
        INDEX row = term / run;
        const INDEX position = term - row * run;
        const INDEX count = run - position < end - term ? run - position : end - term;
        global const REAL *from = x + (long)position * stride;
        for (INDEX axis = last - 1; axis >= 0; axis--) {
            const INDEX outer = row / reduced[2 * axis];
            from += (long)(row - outer * reduced[2 * axis]) * reduced[2 * axis + 1];
            row = outer;
        }
        for (INDEX start = 0; start < count; start += 16) {
            const INDEX n = count - start < 16 ? count - start : 16;
#ifdef MAXIMUM
            for (INDEX i = 0; i < n; i++, from += stride) {
                const VECTOR value = LOAD(from);
                total = select(total, value, isgreater(value, total) | isnan(value));  // a NaN stays
            }
#else
            VECTOR sum = (VECTOR)(0);
            for (INDEX i = 0; i < n; i++, from += stride) sum += LOAD(from);
            const VECTOR next = total + sum, added = next - total;
            lost += (total - (next - added)) + (sum - added);
            total = next;
#endif
        }
        term += count;
    }
#ifndef MAXIMUM
    total = select(total, total + lost, isfinite(total));
#endif
    if (first == own) {
        STORE(total, y);
    } else {
        REAL lanes[V];
        STORE(total, lanes);
        for (INDEX lane = own - first; lane < V; lane++) y[lane] = lanes[lane];
    }
}

#undef STORE
#undef LOAD
#undef VECTOR
#undef JOIN
#undef JOIN_
#undef INDEX
