// Images in working memory, functions and no kernel: rows in blocks of eight, of which the last overlaps the one before.
//
// Macros: NAME, REAL, WIDE (64-bit indices).
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define QUAD JOIN(REAL, 4)
#define OCTET JOIN(REAL, 8)

static APART void JOIN(NAME, _clear)(global REAL *to, const INDEX count) {
    for (INDEX i = 0; i < count; i++) to[i] = 0;
}

static inline void JOIN(NAME, _copy)(global const REAL *from, const INDEX count, global REAL *to) {
    if (count >= 8) {
        for (INDEX i = 0; i + 8 <= count; i += 8) vstore8(vload8(0, from + i), 0, to + i);
        vstore8(vload8(0, from + count - 8), 0, to + count - 8);
    } else if (count >= 4) {
        vstore4(vload4(0, from), 0, to);
        vstore4(vload4(0, from + count - 4), 0, to + count - 4);
    } else {
        for (INDEX i = 0; i < count; i++) to[i] = from[i];
    }
}

// even[i] = from[2i] and odd[i] = from[2i + 1], together `count` elements.
static inline void JOIN(NAME, _split)(global const REAL *from, const INDEX count, global REAL *even, global REAL *odd) {
    INDEX i = 0;
    for (INDEX next = 0; i + 8 <= count; i = next) {
        const OCTET pairs = vload8(0, from + i);
        vstore4(pairs.even, 0, even + i / 2);
        vstore4(pairs.odd, 0, odd + i / 2);
        next = i + 8;
        if (next + 2 <= count && next + 8 > count) next = (count - 8) & ~1;
    }
    for (; i < count; i++) (i & 1 ? odd : even)[i / 2] = from[i];
}

// The other way round.
static inline void JOIN(NAME, _join)(global const REAL *even, global const REAL *odd, const INDEX count,
                                     global REAL *to) {
    INDEX i = 0;
    for (INDEX next = 0; i + 8 <= count; i = next) {
        OCTET pairs;
        pairs.even = vload4(0, even + i / 2);
        pairs.odd = vload4(0, odd + i / 2);
        vstore8(pairs, 0, to + i);
        next = i + 8;
        if (next + 2 <= count && next + 8 > count) next = (count - 8) & ~1;
    }
    for (; i < count; i++) to[i] = (i & 1 ? odd : even)[i / 2];
}

// An image's channels within zeros, which are there already. Rows and columns are sorted by their residues: pixel (y, x)
// of the padded image lies at ((y mod step_h)·step_w + x mod step_w)·part + (y div step_h)·part_w + x div step_w.
//
// Geometry: channels; height; width; top; left; step_h; step_w; part_h; part_w.
static APART void JOIN(NAME, _pad)(global const REAL *x, global const INDEX *g, global REAL *to) {
    const INDEX height = g[1], width = g[2], left = g[4], step_h = g[5], step_w = g[6], part_w = g[8];
    const INDEX part = g[7] * part_w, first = g[3] % step_h, above = g[3] / step_h * part_w;
    for (INDEX c = 0; c < g[0]; c++, to += part * step_h * step_w) {
        global REAL *row = to + above;
        INDEX residue = first;
        for (INDEX line = 0; line < height; line++, x += width) {
            global REAL *parts = row + residue * step_w * part;
            if (step_w == 1)
                JOIN(NAME, _copy)(x, width, parts + left);
            else if (step_w == 2)
                JOIN(NAME, _split)(x, width, parts + (left & 1) * part + left / 2,
                                   parts + (left + 1 & 1) * part + (left + 1) / 2);
            else
                for (INDEX i = 0; i < width; i++)
                    parts[(left + i) % step_w * part + (left + i) / step_w] = x[i];
            if (++residue == step_h) {
                residue = 0;
                row += part_w;
            }
        }
    }
}

#undef OCTET
#undef QUAD
#undef JOIN
#undef JOIN_
#undef INDEX
