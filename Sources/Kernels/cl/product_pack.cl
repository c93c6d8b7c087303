// Panels of the operands of a batch of matrix products, packed once where several blocks share them (`product`).
//
// Terms come in chunks of `depth`; the panels of a chunk lie one after the other. A work-item takes a run of (matrix,
// chunk, piece of the lines), in this order, first those of a.
//
// Geometry: terms; chunks; depth; then of a and of b: runs, or 0 if it is not packed; pieces of the lines; lines of a
// piece, whole panels; lines; lines of all panels; lines of a panel; where the panels begin; distances of the operand:
// line, term, matrix.
//
// Macros: NAME, REAL, WIDE (64-bit indices).
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define SIDES 3
#define SIDE 10

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void NAME(global const REAL *a, long a0, global const REAL *b, long b0, global REAL *panels, long panels0,
          global const INDEX *g, int g0) {
    g += g0;
    const INDEX terms = g[0], chunks = g[1], depth = g[2], left = g[SIDES], all = left + g[SIDES + SIDE];
    const long item = get_global_id(0), items = get_global_size(0);
    const INDEX begin = (INDEX)(all * item / items), end = (INDEX)(all * (item + 1) / items);
    for (INDEX i = begin; i < end; i++) {
        const INDEX run = i < left ? i : i - left;
        global const INDEX *side = g + (i < left ? SIDES : SIDES + SIDE);
        const INDEX sheet = run / side[1], line = (run - sheet * side[1]) * side[2];
        const INDEX matrix = sheet / chunks, first = (sheet - matrix * chunks) * depth;
        const INDEX lines = side[3] - line < side[2] ? side[3] - line : side[2];
        const INDEX count = terms - first < depth ? terms - first : depth;
        global const REAL *from = i < left ? a + a0 : b + b0;
        from += (long)matrix * side[9] + (long)first * side[8] + (long)line * side[7];
        global REAL *to = panels + panels0 + side[6] + ((long)matrix * terms + first) * side[4] + (long)line * count;
        JOIN(NAME, _pack)(from, side[7], side[8], lines, count, to, side[5]);
    }
}

#undef SIDE
#undef SIDES
#undef JOIN
#undef JOIN_
#undef INDEX
