// A batch of matrix products c[r, s] = Σ_p a[r, p]·b[p, s] on processors.
//
// Each result is cut into blocks of rows by columns, and the terms of a product with few blocks into slices, whose
// results lie apart. A work-item takes a run of (matrix, slice, block), in this order. For `depth` terms at a time
// it packs the operands into its own working memory, unless their panels lie there already (`product_pack`), and
// multiplies them tile by tile; the sums of each depth are added in order, which keeps rounding small.
//
// Geometry: rows; columns; terms; rows and columns of a block; blocks along the columns; blocks of one matrix; slices;
// terms of a slice; runs in all; depth; elements of working memory of one item; lower triangle only (0 or 1: blocks
// are square, and those above the diagonal are not counted); distances of a: row, term, matrix; of b: column, term,
// matrix; of c: row, column, matrix, slice; where the items' working memory begins; where the panels of a lie, or -1,
// and lines of all of them; the same of b.
//
// Macros: NAME, REAL, WIDE (64-bit indices), ROWS, PANELS and V (the tile), FINISH.
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define COLUMNS (PANELS * V)
// What becomes of a run of results; see `OpenCLEpilogue`.
#ifndef FINISH
#define FINISH_OPERANDS
#define FINISH_CONSTANTS
#define FINISH(y, first, count)
#endif

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void NAME(global const REAL *a, long a0, global const REAL *b, long b0, global REAL *c, long c0, global REAL *work,
          long work0 FINISH_OPERANDS, global const INDEX *g, int g0 FINISH_CONSTANTS) {
    g += g0;
    const INDEX m = g[0], n = g[1], terms = g[2], block_rows = g[3], block_columns = g[4], blocks = g[6];
    const INDEX slices = g[7], depth = g[10];
    const long item = get_global_id(0), items = get_global_size(0);
    work += work0;
    global REAL *own_left = work + g[23] + item * g[11];
    global REAL *own_right = own_left + (g[24] < 0 ? (long)(block_rows + ROWS - 1) / ROWS * ROWS * depth : 0);
    INDEX at[PANELS];
    for (int j = 0; j < PANELS; j++) at[j] = j * V;
    const INDEX begin = (INDEX)(g[9] * item / items), end = (INDEX)(g[9] * (item + 1) / items);
    for (INDEX run = begin; run < end; run++) {
        const INDEX sheet = run / blocks, matrix = sheet / slices, slice = sheet - matrix * slices;
        INDEX block_column = run - sheet * blocks, block_row = 0;
        if (g[12]) {
            while (block_column > block_row) block_column -= ++block_row;
        } else {
            block_row = block_column / g[5];
            block_column -= block_row * g[5];
        }
        const INDEX row = block_row * block_rows, column = block_column * block_columns;
        const INDEX rows = m - row < block_rows ? m - row : block_rows;
        const INDEX columns = n - column < block_columns ? n - column : block_columns;
        const INDEX first = slice * g[8], last = terms - first < g[8] ? terms : first + g[8];
        global const REAL *a_block = a + a0 + matrix * (long)g[15] + row * (long)g[13];
        global const REAL *b_block = b + b0 + matrix * (long)g[18] + column * (long)g[16];
        global REAL *c_block = c + c0 + matrix * (long)g[21] + slice * (long)g[22] + row * (long)g[19] +
                               column * (long)g[20];

        for (INDEX k = first; k < last; k += depth) {
            const INDEX count = last - k < depth ? last - k : depth;
            const long term = (long)matrix * terms + k;
            global const REAL *left = own_left, *right = own_right;
            if (g[24] < 0)
                JOIN(NAME, _pack)(a_block + k * (long)g[14], g[13], g[14], rows, count, own_left, ROWS);
            else
                left = work + g[24] + term * g[25] + (long)row * count;
            if (g[26] < 0)
                JOIN(NAME, _pack)(b_block + k * (long)g[17], g[16], g[17], columns, count, own_right, COLUMNS);
            else
                right = work + g[26] + term * g[27] + (long)column * count;
            // Rows of a result are completed one tile's height after the other, which suits memory and the epilogue.
            for (INDEX r = 0; r < rows; r += ROWS) {
                const int here = rows - r < ROWS ? (int)(rows - r) : ROWS, adds = k > first;
                global const REAL *lines = left + (long)r * count;
                global REAL *line = c_block + r * (long)g[19];
                for (INDEX s = 0; s < columns; s += COLUMNS) {
                    int lanes[PANELS], vectors = 0;
                    for (int j = 0; j < PANELS; j++) {
                        const INDEX rest = columns - s - j * V;
                        lanes[j] = rest < V ? (int)rest : V;
                        vectors += rest > 0;
                    }
                    global const REAL *panel = right + (long)s * count;
                    global REAL *to = line + s * (long)g[20];
                    if (vectors == 1)
                        JOIN(NAME, _tile1)(count, lines, panel, at, to, g[19], g[20], at, lanes, here, adds);
#if PANELS > 1
                    if (vectors == 2)
                        JOIN(NAME, _tile2)(count, lines, panel, at, to, g[19], g[20], at, lanes, here, adds);
#endif
#if PANELS > 2
                    if (vectors == 3)
                        JOIN(NAME, _tile3)(count, lines, panel, at, to, g[19], g[20], at, lanes, here, adds);
#endif
                }
                if (k + count == last)
                    for (int i = 0; i < here; i++) FINISH(c + c0, (INDEX)(line - (c + c0)) + i * g[19], columns);
            }
        }
    }
}

#undef FINISH
#undef FINISH_CONSTANTS
#undef FINISH_OPERANDS
#undef COLUMNS
#undef JOIN
#undef JOIN_
#undef INDEX
