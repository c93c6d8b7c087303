// A batch of matrix products c[r, s] = Σ_p a[r, p]·b[p, s] for graphics processors.
//
// A group computes a square tile of EDGE by EDGE results. DEPTH terms at a time, its items copy the tile's rows of a
// and columns of b to local memory, zeros where there are none, while they multiply those before: local memory holds
// two such steps. An item has ITEM_ROWS by ITEM_COLUMNS results, in quads that lie EDGE/(quads) apart, so that
// neighbouring items read neighbouring quads. Global memory is read element by element, neighbours by neighbouring
// items: operands may begin anywhere, so there are no wider loads.
//
// The terms of a sum lie in segments of one length, each at its own distance. A slice is a run of segments whose sum is
// a result of its own. Sums of FLUSH steps are added in c, which keeps rounding small.
//
// Work-items (columns, rows, batch·slices + slice); a batch is numbered outer·inners + inner. Geometry: m; n; terms of a
// segment; segments in all; segments of a slice; slices; inners; lower triangle only (0 or 1); distances of a: row, term,
// segment, outer, inner; of b: column, term, segment, outer, inner; of c: row, column, slice, outer, inner. With TABLES,
// four lists follow that take the place of distances: of every term of a, of every term of b, of every column of b, of
// every column of c.
//
// Macros: NAME, REAL, WIDE (64-bit indices), EDGE, DEPTH, ITEM_ROWS and ITEM_COLUMNS (multiples of 4), FLUSH, A_TERMS and
// B_TERMS (defined where terms of the operand are neighbours, else its rows or columns are), TABLES, FINISH.
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
// What becomes of a result; see `OpenCLEpilogue`.
#ifndef FINISH
#define FINISH_OPERANDS
#define FINISH_CONSTANTS
#define FINISH(value, i) (value)
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
#ifdef TABLES
#define TERM_OF_A(k) a_terms[k]
#define TERM_OF_B(k) b_terms[k]
#define COLUMN_OF_B(s) b_columns[s]
#define COLUMN_OF_C(s) c_columns[s]
#else
#define TERM_OF_A(k) ((k) * (long)g[9])
#define TERM_OF_B(k) ((k) * (long)g[14])
#define COLUMN_OF_B(s) ((s) * (long)g[13])
#define COLUMN_OF_C(s) ((s) * (long)g[19])
#endif
#pragma OPENCL FP_CONTRACT ON

kernel __attribute__((reqd_work_group_size(ACROSS, DOWN, 1)))
void NAME(global const REAL *a, long a0, global const REAL *b, long b0, global REAL *c, long c0
          FINISH_OPERANDS, global const INDEX *g, int g0 FINISH_CONSTANTS) {
    local QUAD left[2][DEPTH][LINE], right[2][DEPTH][LINE];
    g += g0;
    const INDEX m = g[0], n = g[1], terms = g[2];
    const INDEX row = (INDEX)get_group_id(1) * EDGE, column = (INDEX)get_group_id(0) * EDGE;
    // The same for all items of a group, so all or none reach the barriers.
    if (g[7] && column >= row + EDGE) return;
    const int x = (int)get_local_id(0), y = (int)get_local_id(1), item = y * ACROSS + x;
    const INDEX z = (INDEX)get_global_id(2), batch = z / g[5], slice = z - batch * g[5];
    const INDEX outer = batch / g[6], inner = batch - outer * g[6], first_segment = slice * g[4];
    const INDEX segments = g[3] - first_segment < g[4] ? g[3] - first_segment : g[4];
    const long a_segment = g[10], b_segment = g[15], c_row = g[18];
    a += a0 + outer * (long)g[11] + inner * (long)g[12] + first_segment * a_segment;
    b += b0 + outer * (long)g[16] + inner * (long)g[17] + first_segment * b_segment;
    c += c0;
    const long base = slice * (long)g[20] + outer * (long)g[21] + inner * (long)g[22] + row * c_row;
#ifdef TABLES
    global const INDEX *a_terms = g + 23, *b_terms = a_terms + terms, *b_columns = b_terms + terms,
                       *c_columns = b_columns + n;
#endif
    const INDEX rows = m - row, columns = n - column;
    const INDEX per_segment = (terms + DEPTH - 1) / DEPTH, steps = segments * per_segment;

    // The row of a and the column of b of each element that this item copies; −1 outside.
    long row_of_a[SHARE], column_of_b[SHARE];
#pragma unroll
    for (int s = 0; s < SHARE; s++) {
        const int i = A_LINE(item + s * ITEMS), j = B_LINE(item + s * ITEMS);
        row_of_a[s] = i < rows ? (row + i) * (long)g[8] : -1;
        column_of_b[s] = j < columns ? COLUMN_OF_B(column + j) : -1;
    }
    QUAD sum[ITEM_ROWS][QUAD_COLUMNS];
#pragma unroll
    for (int i = 0; i < ITEM_ROWS; i++)
#pragma unroll
        for (int j = 0; j < QUAD_COLUMNS; j++) sum[i][j] = (QUAD)(0);

    // Step −1 only copies the first terms.
    INDEX first = 0;
    for (INDEX step = -1; step < steps; step++) {
        REAL next_a[SHARE], next_b[SHARE];
        if (step + 1 < steps) {
#pragma unroll
            for (int s = 0; s < SHARE; s++) {
                const int e = item + s * ITEMS;
                const INDEX ka = first + A_TERM(e), kb = first + B_TERM(e);
                next_a[s] = row_of_a[s] >= 0 && ka < terms ? a[row_of_a[s] + TERM_OF_A(ka)] : 0;
                next_b[s] = column_of_b[s] >= 0 && kb < terms ? b[column_of_b[s] + TERM_OF_B(kb)] : 0;
            }
            first += DEPTH;
            if (first >= terms) {
                first = 0;
                a += a_segment;
                b += b_segment;
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
                const INDEX r = (i / 4 * DOWN + y) * 4 + i % 4;
#pragma unroll
                for (int j = 0; j < QUAD_COLUMNS; j++) {
                    REAL values[4];
                    vstore4(sum[i][j], 0, values);
#pragma unroll
                    for (int l = 0; l < 4; l++) {
                        const INDEX s = (j * ACROSS + x) * 4 + l;
                        if (r < rows && s < columns) {
                            const long place = base + r * c_row + COLUMN_OF_C(column + s);
                            const REAL value = adds ? c[place] + values[l] : values[l];
                            c[place] = is_last ? FINISH(value, (INDEX)place) : value;
                        }
                    }
                    sum[i][j] = (QUAD)(0);
                }
            }
        }
    }
}

#undef FINISH
#undef FINISH_CONSTANTS
#undef FINISH_OPERANDS
#undef COLUMN_OF_C
#undef COLUMN_OF_B
#undef TERM_OF_B
#undef TERM_OF_A
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
