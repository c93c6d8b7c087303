// c[r, s] = Σ_p a[r, p]·b[s, p], where neighbouring terms of a row of a, and of b, lie next to each other.
//
// One work-item computes ROWS by COLUMNS dot products in vectors of V terms. Rows and columns past the last
// are computed from it and not written.
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
// Macros: NAME, REAL, WIDE (64-bit indices), ROWS, COLUMNS, V (a vector width of at least 4), COLUMNS_FIRST,
// LOCAL0 and LOCAL1 (items per group). Term strides are not read: they are 1.
#ifndef NAME
#define NAME matmul_dots
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
#define ROWS 4
#endif
#ifndef COLUMNS
#define COLUMNS 4
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
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define FN(name) JOIN(NAME, name)
#define VECTOR JOIN(REAL, V)
#define LOAD(p) JOIN(vload, V)(0, p)
#pragma OPENCL FP_CONTRACT ON

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

    long rows[ROWS], columns[COLUMNS];
    VECTOR total[ROWS][COLUMNS];
    REAL rest[ROWS][COLUMNS];
#pragma unroll
    for (int i = 0; i < ROWS; i++) rows[i] = (long)(row + i < m ? row + i : m - 1) * g[9];
#pragma unroll
    for (int j = 0; j < COLUMNS; j++) columns[j] = (long)(column + j < n ? column + j : n - 1) * g[14];
#pragma unroll
    for (int i = 0; i < ROWS; i++)
#pragma unroll
        for (int j = 0; j < COLUMNS; j++) {
            total[i][j] = (VECTOR)(0);
            rest[i][j] = 0;
        }

    for (INDEX segment = first; segment < end; segment++) {
        global const REAL *ap = a + (long)segment * g[11], *bp = b + (long)segment * g[16];
        const INDEX left = terms - segment * length, count = left < length ? left : length;
        VECTOR sum[ROWS][COLUMNS];
#pragma unroll
        for (int i = 0; i < ROWS; i++)
#pragma unroll
            for (int j = 0; j < COLUMNS; j++) sum[i][j] = (VECTOR)(0);
        INDEX p = 0;
        for (; p + V <= count; p += V) {
            VECTOR right[COLUMNS];
#pragma unroll
            for (int j = 0; j < COLUMNS; j++) right[j] = LOAD(bp + columns[j]);
#pragma unroll
            for (int i = 0; i < ROWS; i++) {
                const VECTOR left = LOAD(ap + rows[i]);
#pragma unroll
                for (int j = 0; j < COLUMNS; j++) sum[i][j] += left * right[j];
            }
            ap += V;
            bp += V;
        }
#pragma unroll
        for (int i = 0; i < ROWS; i++)
#pragma unroll
            for (int j = 0; j < COLUMNS; j++) total[i][j] += sum[i][j];
        for (; p < count; p++) {
#pragma unroll
            for (int i = 0; i < ROWS; i++) {
                const REAL left = ap[rows[i]];
#pragma unroll
                for (int j = 0; j < COLUMNS; j++) rest[i][j] += left * bp[columns[j]];
            }
            ap++;
            bp++;
        }
    }

    const long c_row = g[19], c_column = g[20];
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
#pragma unroll
        for (int j = 0; j < COLUMNS; j++)
            if (row + i < m && column + j < n)
                c[(row + i) * c_row + (column + j) * c_column] = FN(_lanes)(total[i][j]) + rest[i][j];
    }
}

#undef LOAD
#undef VECTOR
#undef FN
#undef JOIN
#undef JOIN_
#undef ROW_AXIS
#undef INDEX
