// c[r, s] = Σ_p a[r, p]·b[p, s], where neighbouring columns of b lie next to each other.
//
// One work-item computes ROWS rows by COLUMNS = PANELS·V columns in vectors of V columns. A panel that would
// reach past the last column is moved left until it fits, and writes only columns that are its own; rows
// past the last one are computed from it and not written. n is at least V.
//
// The terms of the product are cut into segments of one length; the last may be shorter. Every segment is
// summed on its own and then added, which keeps rounding small. A slice is a run of segments whose sum is a
// result of its own; `combine` adds the slices of a product that has few results and many terms.
//
// Work-items (tile of rows, tile of columns, batch·slices + slice); the first two are swapped with
// COLUMNS_FIRST. A batch is numbered outer·groups + inner. Operands and result begin at outer and inner
// distances from their first element. Geometry: m; n; length of a segment; terms in all; segments in all;
// segments per slice; slices; groups; lower triangle only (0 or 1); then for a: row stride, term stride,
// segment stride, outer, inner; for b: column stride, term stride, segment stride, outer, inner; for c: row
// stride, column stride, slice stride, outer, inner.
//
// Macros: NAME, REAL, WIDE (64-bit indices), ROWS, PANELS, V (a vector width, or 1), COLUMNS_FIRST, LOCAL0
// and LOCAL1 (items per group).
#ifndef NAME
#define NAME matmul_columns
#endif
#ifndef REAL
#define REAL float
#endif
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif
#ifndef ROWS
#define ROWS 8
#endif
#ifndef PANELS
#define PANELS 2
#endif
#ifndef V
#define V 16
#endif
#ifndef LOCAL0
#define LOCAL0 1
#endif
#ifndef LOCAL1
#define LOCAL1 1
#endif
#ifdef COLUMNS_FIRST
#define ROW_AXIS 1
#else
#define ROW_AXIS 0
#endif
#define COLUMNS (PANELS * V)
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#if V == 1
#define VECTOR REAL
#define LOAD(p) (*(p))
#define STORE(v, p) (*(p) = (v))
#else
#define VECTOR JOIN(REAL, V)
#define LOAD(p) JOIN(vload, V)(0, p)
#define STORE(v, p) JOIN(vstore, V)(v, 0, p)
#endif
#pragma OPENCL FP_CONTRACT ON

kernel __attribute__((reqd_work_group_size(LOCAL0, LOCAL1, 1)))
void NAME(global const REAL *a, long a0, global const REAL *b, long b0, global REAL *restrict c, long c0,
          global const INDEX *g, int g0) {
    g += g0;
    const INDEX m = g[0], n = g[1], length = g[2], terms = g[3], slices = g[6], groups = g[7];
    const INDEX row = (INDEX)get_global_id(ROW_AXIS) * ROWS;
    const INDEX column = (INDEX)get_global_id(1 - ROW_AXIS) * COLUMNS;
    if (row >= m || column >= n || (g[8] && column >= row + ROWS)) return;
    const INDEX z = (INDEX)get_global_id(2), batch = z / slices, slice = z - batch * slices;
    const INDEX outer = batch / groups, inner = batch - outer * groups;
    a += a0 + (long)outer * g[12] + (long)inner * g[13];
    b += b0 + (long)outer * g[17] + (long)inner * g[18];
    c += c0 + (long)slice * g[21] + (long)outer * g[22] + (long)inner * g[23];
    const INDEX first = slice * g[5], end = first + g[5] < g[4] ? first + g[5] : g[4];
    const long a_term = g[10], b_term = g[15];

    long rows[ROWS], starts[PANELS];
    VECTOR total[ROWS][PANELS];
#pragma unroll
    for (int i = 0; i < ROWS; i++) rows[i] = (long)(row + i < m ? row + i : m - 1) * g[9];
#pragma unroll
    for (int q = 0; q < PANELS; q++) starts[q] = column + q * V < n - V ? column + q * V : n - V;
#pragma unroll
    for (int i = 0; i < ROWS; i++)
#pragma unroll
        for (int q = 0; q < PANELS; q++) total[i][q] = (VECTOR)(0);

    for (INDEX segment = first; segment < end; segment++) {
        global const REAL *ap = a + (long)segment * g[11], *bp = b + (long)segment * g[16];
        const INDEX left = terms - segment * length, count = left < length ? left : length;
        VECTOR sum[ROWS][PANELS];
#pragma unroll
        for (int i = 0; i < ROWS; i++)
#pragma unroll
            for (int q = 0; q < PANELS; q++) sum[i][q] = (VECTOR)(0);
        for (INDEX p = 0; p < count; p++) {
            VECTOR right[PANELS];
#pragma unroll
            for (int q = 0; q < PANELS; q++) right[q] = LOAD(bp + starts[q]);
#pragma unroll
            for (int i = 0; i < ROWS; i++) {
                const VECTOR left = (VECTOR)(ap[rows[i]]);
#pragma unroll
                for (int q = 0; q < PANELS; q++) sum[i][q] += left * right[q];
            }
            ap += a_term;
            bp += b_term;
        }
#pragma unroll
        for (int i = 0; i < ROWS; i++)
#pragma unroll
            for (int q = 0; q < PANELS; q++) total[i][q] += sum[i][q];
    }

    const long c_row = g[19], c_column = g[20];
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
#pragma unroll
        for (int q = 0; q < PANELS; q++) {
            const INDEX own = column + q * V;
            if (row + i < m && own < n) {
                global REAL *to = c + (row + i) * c_row + starts[q] * c_column;
                if (c_column == 1 && starts[q] == own) {
                    STORE(total[i][q], to);
                } else {
                    REAL lanes[V];
                    STORE(total[i][q], lanes);
                    for (int lane = (int)(own - starts[q]); lane < V; lane++)
                        to[lane * c_column] = lanes[lane];
                }
            }
        }
    }
}

#undef STORE
#undef LOAD
#undef VECTOR
#undef JOIN
#undef JOIN_
#undef COLUMNS
#undef ROW_AXIS
#undef INDEX
