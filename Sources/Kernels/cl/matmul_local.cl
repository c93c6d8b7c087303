// A batch of matrix products c[r, s] = Σ_p a[r, p]·b[p, s] for graphics processors.
//
// A group computes a square tile of EDGE by EDGE results. DEPTH terms at a time, its items copy the tile's rows of a
// and columns of b to local memory, zeros where there are none, while they multiply those before: local memory holds
// two such steps. An item has ITEM_ROWS by ITEM_COLUMNS results, in quads that lie EDGE/(quads) apart, so that
// neighbouring items read neighbouring quads. Global memory is read element by element, neighbours by neighbouring
// items: operands may begin anywhere, so there are no wider loads.
//
// Sums of FLUSH steps are added in c, which keeps rounding small.
//
// Work-items (columns, rows, batch). Geometry: m; n; terms; lower triangle only (0 or 1); distances of a: row, term,
// batch; of b: column, term, batch; of c: row, batch. Columns of c are neighbours.
//
// Macros: NAME, REAL, WIDE (64-bit indices), EDGE, DEPTH, ITEM_ROWS and ITEM_COLUMNS (multiples of 4), FLUSH, A_TERMS and
// B_TERMS (defined where terms of the operand are neighbours, else its rows or columns are).
#ifndef NAME
#define NAME matmul_local
#endif
#ifndef REAL
#define REAL float
#endif
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif
#ifndef EDGE
#define EDGE 64
#endif
#ifndef DEPTH
#define DEPTH 8
#endif
#ifndef ITEM_ROWS
#define ITEM_ROWS 8
#endif
#ifndef ITEM_COLUMNS
#define ITEM_COLUMNS 4
#endif
#ifndef FLUSH
#define FLUSH 256
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define QUAD JOIN(REAL, 4)
#define ACROSS (EDGE / ITEM_COLUMNS)
#define DOWN (EDGE / ITEM_ROWS)
#define ITEMS (ACROSS * DOWN)
#define QUAD_ROWS (ITEM_ROWS / 4)
#define QUAD_COLUMNS (ITEM_COLUMNS / 4)
// Elements of one step that an item copies, of each operand.
#define SHARE (EDGE * DEPTH / ITEMS)
// A line of one term, with a quad to spare that keeps terms in different banks.
#define LINE (EDGE / 4 + 1)
// Line and term of element e of a step: neighbouring items take what lies side by side in memory.
#ifdef A_TERMS
#define A_LINE(e) ((e) / DEPTH)
#define A_TERM(e) ((e) % DEPTH)
#else
#define A_LINE(e) ((e) % EDGE)
#define A_TERM(e) ((e) / EDGE)
#endif
#ifdef B_TERMS
#define B_LINE(e) ((e) / DEPTH)
#define B_TERM(e) ((e) % DEPTH)
#else
#define B_LINE(e) ((e) % EDGE)
#define B_TERM(e) ((e) / EDGE)
#endif
#pragma OPENCL FP_CONTRACT ON

kernel __attribute__((reqd_work_group_size(ACROSS, DOWN, 1)))
void NAME(global const REAL *a, long a0, global const REAL *b, long b0, global REAL *c, long c0,
          global const INDEX *g, int g0) {
    local QUAD left[2][DEPTH][LINE], right[2][DEPTH][LINE];
    g += g0;
    const INDEX m = g[0], n = g[1], terms = g[2];
    const INDEX row = (INDEX)get_group_id(1) * EDGE, column = (INDEX)get_group_id(0) * EDGE;
    // The same for all items of a group, so all or none reach the barriers.
    if (g[3] && column >= row + EDGE) return;
    const int x = (int)get_local_id(0), y = (int)get_local_id(1), item = y * ACROSS + x;
    a += a0 + (long)get_global_id(2) * g[6] + (long)row * g[4];
    b += b0 + (long)get_global_id(2) * g[9] + (long)column * g[7];
    c += c0 + (long)get_global_id(2) * g[11] + (long)row * g[10] + column;
    const long a_line = g[4], a_term = g[5], b_line = g[7], b_term = g[8], c_row = g[10];
    const INDEX rows = m - row, columns = n - column, steps = (terms + DEPTH - 1) / DEPTH;

    QUAD sum[ITEM_ROWS][QUAD_COLUMNS];
#pragma unroll
    for (int i = 0; i < ITEM_ROWS; i++)
#pragma unroll
        for (int j = 0; j < QUAD_COLUMNS; j++) sum[i][j] = (QUAD)(0);

    // Step −1 only copies the first terms.
    for (INDEX step = -1; step < steps; step++) {
        REAL next_a[SHARE], next_b[SHARE];
        const INDEX first = (step + 1) * DEPTH;
        if (step + 1 < steps) {
#pragma unroll
            for (int s = 0; s < SHARE; s++) {
                const int e = item + s * ITEMS;
                const INDEX ka = first + A_TERM(e), kb = first + B_TERM(e);
                next_a[s] = A_LINE(e) < rows && ka < terms ? a[A_LINE(e) * a_line + ka * a_term] : 0;
                next_b[s] = B_LINE(e) < columns && kb < terms ? b[B_LINE(e) * b_line + kb * b_term] : 0;
            }
        }
        if (step >= 0) {
            const int now = (int)(step & 1);
#pragma unroll
            for (int k = 0; k < DEPTH; k++) {
                QUAD factors[QUAD_ROWS], others[QUAD_COLUMNS];
#pragma unroll
                for (int i = 0; i < QUAD_ROWS; i++) factors[i] = left[now][k][i * DOWN + y];
#pragma unroll
                for (int j = 0; j < QUAD_COLUMNS; j++) others[j] = right[now][k][j * ACROSS + x];
#pragma unroll
                for (int i = 0; i < QUAD_ROWS; i++)
#pragma unroll
                    for (int j = 0; j < QUAD_COLUMNS; j++) {
                        sum[4 * i][j] += factors[i].s0 * others[j];
                        sum[4 * i + 1][j] += factors[i].s1 * others[j];
                        sum[4 * i + 2][j] += factors[i].s2 * others[j];
                        sum[4 * i + 3][j] += factors[i].s3 * others[j];
                    }
            }
        }
        if (step + 1 < steps) {
            const int then = (int)((step + 1) & 1);
#pragma unroll
            for (int s = 0; s < SHARE; s++) {
                const int e = item + s * ITEMS;
                ((local REAL *)left[then][A_TERM(e)])[A_LINE(e)] = next_a[s];
                ((local REAL *)right[then][B_TERM(e)])[B_LINE(e)] = next_b[s];
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);

        const int is_last = step + 1 == steps;
        if (is_last || (step + 1) % FLUSH == 0) {
            if (step < 0 && !is_last) continue;
            const int adds = step >= FLUSH;
#pragma unroll
            for (int i = 0; i < ITEM_ROWS; i++) {
                const int r = (i / 4 * DOWN + y) * 4 + i % 4;
#pragma unroll
                for (int j = 0; j < QUAD_COLUMNS; j++) {
                    REAL values[4];
                    vstore4(sum[i][j], 0, values);
#pragma unroll
                    for (int l = 0; l < 4; l++) {
                        const int s = (j * ACROSS + x) * 4 + l;
                        if (r < rows && s < columns) {
                            global REAL *to = c + r * c_row + s;
                            *to = adds ? *to + values[l] : values[l];
                        }
                    }
                    sum[i][j] = (QUAD)(0);
                }
            }
        }
    }
}

#undef B_TERM
#undef B_LINE
#undef A_TERM
#undef A_LINE
#undef LINE
#undef SHARE
#undef QUAD_COLUMNS
#undef QUAD_ROWS
#undef ITEMS
#undef DOWN
#undef ACROSS
#undef QUAD
#undef JOIN
#undef JOIN_
#undef INDEX
