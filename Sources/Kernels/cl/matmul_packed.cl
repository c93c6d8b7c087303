// c[r, s] = Σ_k a[r, k]·b[k, s] of operands in panels (`pack_panels`): ROWS rows of a, PANELS·V columns of b.
//
// One work-item per block of BLOCK_ROWS tiles by BLOCK_PANELS panels. Terms are summed TERMS at a time in registers and
// the sums added in c, so that the panels in use stay in the nearest caches. Work-items (block of rows, block of
// columns, batch). Macros: NAME, REAL, WIDE (64-bit indices), ROWS, PANELS, V, BLOCK_ROWS, BLOCK_PANELS, TERMS.
// Geometry: m; n; terms; row stride of c; lower triangle only (0 or 1); elements between batches of a, b and c.
#ifndef NAME
#define NAME matmul_packed
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
#define PANELS 3
#endif
#ifndef V
#define V 16
#endif
#ifndef BLOCK_ROWS
#define BLOCK_ROWS 16
#endif
#ifndef BLOCK_PANELS
#define BLOCK_PANELS 8
#endif
#ifndef TERMS
#define TERMS 384
#endif
#define WIDTH (PANELS * V)
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define VECTOR JOIN(REAL, V)
#define LOAD(p) JOIN(vload, V)(0, p)
#define STORE(v, p) JOIN(vstore, V)(v, 0, p)
#pragma OPENCL FP_CONTRACT ON

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void NAME(global const REAL *restrict a, long a0, global const REAL *restrict b, long b0, global REAL *restrict c,
          long c0, global const INDEX *g, int g0) {
    g += g0;
    const INDEX m = g[0], n = g[1], terms = g[2];
    const long c_row = g[3];
    const INDEX row = (INDEX)get_global_id(0) * (BLOCK_ROWS * ROWS), last_row = row + BLOCK_ROWS * ROWS < m ? row + BLOCK_ROWS * ROWS : m;
    const INDEX column = (INDEX)get_global_id(1) * (BLOCK_PANELS * WIDTH), last_column = column + BLOCK_PANELS * WIDTH < n ? column + BLOCK_PANELS * WIDTH : n;
    if (row >= m || column >= n || (g[4] && column >= last_row)) return;
    a += a0 + (long)get_global_id(2) * g[5];
    b += b0 + (long)get_global_id(2) * g[6];
    c += c0 + (long)get_global_id(2) * g[7];
    for (INDEX first = 0; first < terms || first == 0; first += TERMS) {
        const INDEX count = terms - first < TERMS ? terms - first : TERMS;
        for (INDEX s = column; s < last_column; s += WIDTH) {
            for (INDEX r = row; r < last_row; r += ROWS) {
                global const REAL *ap = a + (long)r * terms + (long)first * ROWS;
                global const REAL *bp = b + (long)s * terms + (long)first * WIDTH;
                VECTOR sum[ROWS][PANELS];
#pragma unroll
                for (int i = 0; i < ROWS; i++)
#pragma unroll
                    for (int q = 0; q < PANELS; q++) sum[i][q] = (VECTOR)(0);
                for (INDEX k = 0; k < count; k++) {
                    VECTOR right[PANELS];
#pragma unroll
                    for (int q = 0; q < PANELS; q++) right[q] = LOAD(bp + q * V);
#pragma unroll
                    for (int i = 0; i < ROWS; i++) {
                        const VECTOR left = (VECTOR)(ap[i]);
#pragma unroll
                        for (int q = 0; q < PANELS; q++) sum[i][q] += left * right[q];
                    }
                    ap += ROWS;
                    bp += WIDTH;
                }
                global REAL *to = c + r * c_row + s;
                if (n - s >= WIDTH && m - r >= ROWS) {
#pragma unroll
                    for (int i = 0; i < ROWS; i++)
#pragma unroll
                        for (int q = 0; q < PANELS; q++) {
                            global REAL *p = to + i * c_row + q * V;
                            STORE(first ? LOAD(p) + sum[i][q] : sum[i][q], p);
                        }
                } else {
                    const INDEX columns = n - s < WIDTH ? n - s : WIDTH, rows = m - r < ROWS ? m - r : ROWS;
                    REAL lanes[ROWS * WIDTH];
#pragma unroll
                    for (int i = 0; i < ROWS; i++)
#pragma unroll
                        for (int q = 0; q < PANELS; q++) STORE(sum[i][q], lanes + i * WIDTH + q * V);
                    for (INDEX i = 0; i < rows; i++)
                        for (INDEX j = 0; j < columns; j++) {
                            global REAL *p = to + i * c_row + j;
                            *p = first ? *p + lanes[i * WIDTH + j] : lanes[i * WIDTH + j];
                        }
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
#undef WIDTH
#undef INDEX
