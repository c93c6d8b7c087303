// result[i] = operand[…] where element i lies on the operand's grid, else 0.
//
// Work-items (row of the result, piece of the row); a row runs along the innermost axis. For processors;
// `pad_items` is for devices that want many small items. Macros: NAME, REAL, WIDE (64-bit indices), GROUP
// (items per group), PIECE (most elements of a piece). Geometry: rows; number of axes; then per axis,
// innermost first: extent of the result, where the grid starts, its step, extent of the operand.
#ifndef NAME
#define NAME pad_rows
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
#ifndef PIECE
#define PIECE 2048
#endif

kernel __attribute__((reqd_work_group_size(GROUP, 1, 1)))
void NAME(global const REAL *x, long x0, global REAL *restrict y, long y0, global const INDEX *g, int g0) {
    g += g0;
    const INDEX row = (INDEX)get_global_id(0), begin = (INDEX)get_global_id(1) * PIECE;
    if (row >= g[0]) return;
    const INDEX rank = g[1], width = g[2], start = g[3], step = g[4], part = g[5];
    const INDEX end = width - begin < PIECE ? width : begin + PIECE;
    y += y0 + (long)row * width;

    // The row of the operand, if there is one.
    INDEX rest = row, stride = part;
    int inside = 1;
    x += x0;
    for (INDEX axis = 1; axis < rank; axis++) {
        global const INDEX *a = g + 2 + 4 * axis;
        const INDEX outer = rest / a[0], distance = rest - outer * a[0] - a[1];
        const INDEX place = distance < 0 ? 0 : distance / a[2];
        inside &= distance >= 0 && place * a[2] == distance && place < a[3];
        x += (long)place * stride;
        stride *= a[3];
        rest = outer;
    }
    // Elements first..<last of the operand land in this piece.
    INDEX first = begin <= start ? 0 : (begin - start + step - 1) / step;
    INDEX last = end <= start || !inside ? 0 : (end - start + step - 1) / step;
    last = last < part ? last : part;
    if (step == 1 && first < last) {
        for (INDEX i = begin; i < start + first; i++) y[i] = 0;
        for (INDEX i = start + first; i < start + last; i++) y[i] = x[i - start];
        for (INDEX i = start + last; i < end; i++) y[i] = 0;
    } else {
        for (INDEX i = begin; i < end; i++) y[i] = 0;
        for (INDEX i = first; i < last; i++) y[start + i * step] = x[i];
    }
}

#undef INDEX
