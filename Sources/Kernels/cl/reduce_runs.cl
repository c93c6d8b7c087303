// Sum or maximum over some axes of a strided operand, one result per work-item.
//
// Terms are counted through all reduced axes; item (r, s) takes the terms of slice s of result r and writes
// result s·results + r. Runs along the innermost reduced axis are cut into blocks that are summed in V
// lanes; sums of blocks are added with compensation. Macros: NAME, REAL, WIDE (64-bit indices), GROUP (items
// per group), V (lanes), MAXIMUM (else sum). Geometry: results; terms; terms per slice; number of kept axes;
// number of reduced axes; extent and stride of every kept axis, then of every reduced axis.
#ifndef NAME
#define NAME reduce_runs
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
#define GROUP 16
#endif
#ifndef V
#define V 4
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define FN(name) JOIN(NAME, name)
#define VECTOR JOIN(REAL, V)
#define LOAD(p) JOIN(vload, V)(0, p)
#pragma OPENCL FP_CONTRACT OFF

#ifdef MAXIMUM
#define EMPTY (REAL)-INFINITY
// The greater of two; a NaN stays.
static inline REAL FN(_top)(REAL a, REAL b) { return b > a || b != b ? b : a; }

// Maximum of n elements a stride apart.
static inline REAL FN(_block)(global const REAL *x, INDEX n, INDEX stride) {
    REAL top = x[0];
    for (INDEX i = 1; i < n; i++) top = FN(_top)(top, x[i * stride]);
    return top;
}
#else
#define EMPTY (REAL)0
// Sum of the lanes of a vector, pairwise.
static inline REAL FN(_lanes)(VECTOR v) {
#if V == 16
    const JOIN(REAL, 8) eight = v.lo + v.hi;
    const JOIN(REAL, 4) four = eight.lo + eight.hi;
#elif V == 8
    const JOIN(REAL, 4) four = v.lo + v.hi;
#else
    const JOIN(REAL, 4) four = v;
#endif
    return (four.s0 + four.s2) + (four.s1 + four.s3);
}

// Sum of n elements a stride apart, n at most the block.
static inline REAL FN(_block)(global const REAL *x, INDEX n, INDEX stride) {
    INDEX i = 0;
    REAL sum = 0;
    if (stride == 1 && n >= V) {
        VECTOR sums = LOAD(x);
        for (i = V; i + V <= n; i += V) sums += LOAD(x + i);
        sum = FN(_lanes)(sums);
    } else {
        REAL a = 0, b = 0, c = 0, d = 0;
        for (; i + 4 <= n; i += 4) {
            a += x[i * stride];
            b += x[(i + 1) * stride];
            c += x[(i + 2) * stride];
            d += x[(i + 3) * stride];
        }
        sum = (a + c) + (b + d);
    }
    REAL tail = 0;
    for (; i < n; i++) tail += x[i * stride];
    return sum + tail;
}
#endif

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void NAME(global const REAL *x, long x0, global REAL *restrict y, long y0, global const INDEX *g, int g0) {
    g += g0;
    const INDEX result = (INDEX)get_global_id(0), slice = (INDEX)get_global_id(1);
    if (result >= g[0]) return;
    const INDEX kept_rank = g[3], last = g[4] - 1;
    global const INDEX *kept = g + 5, *reduced = kept + 2 * kept_rank;
    x += x0;
    INDEX rest = result;
    for (INDEX axis = kept_rank - 1; axis >= 0; axis--) {
        const INDEX outer = rest / kept[2 * axis];
        x += (long)(rest - outer * kept[2 * axis]) * kept[2 * axis + 1];
        rest = outer;
    }
    const INDEX run = reduced[2 * last], stride = reduced[2 * last + 1];
    const INDEX begin = slice * g[2], end = begin + g[2] < g[1] ? begin + g[2] : g[1];
    const INDEX block = stride == 1 ? 16 * V : 64;
    REAL total = EMPTY;
    REAL lost = 0;
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
        for (INDEX start = 0; start < count; start += block) {
            const INDEX n = count - start < block ? count - start : block;
            const REAL value = FN(_block)(from + (long)start * stride, n, stride);
#ifdef MAXIMUM
            total = FN(_top)(total, value);
#else
            const REAL next = total + value, added = next - total;
            lost += (total - (next - added)) + (value - added);
            total = next;
#endif
        }
        term += count;
    }
    y[y0 + (long)slice * g[0] + result] = isfinite(total) ? total + lost : total;
}

#undef EMPTY
#undef LOAD
#undef VECTOR
#undef FN
#undef JOIN
#undef JOIN_
#undef INDEX
