// Images in working memory, functions and no kernel: rows in blocks of sixteen or eight, of which the last overlaps the
// one before.
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
        INDEX i = 0;
        for (; i + 16 <= count; i += 16) vstore16(vload16(0, from + i), 0, to + i);
        for (; i + 8 <= count; i += 8) vstore8(vload8(0, from + i), 0, to + i);
        if (i < count) vstore8(vload8(0, from + count - 8), 0, to + count - 8);
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

// to[i] = from[i·step].
static inline void JOIN(NAME, _take)(global const REAL *from, const INDEX step, const INDEX count, global REAL *to) {
    INDEX i = 0;
    if (step == 2)
        for (; 2 * i + 8 <= 2 * count - 1; i += 4) vstore4(vload8(0, from + 2 * i).even, 0, to + i);
    for (; i < count; i++) to[i] = from[i * step];
}

// An image's channels within zeros, which are there already. Rows are sorted by their residues, columns by parts: pixel
// (y, x + i·step_w) of the padded image lies at ((y mod step_h)·parts + x)·part + (y div step_h)·part_w + i, for x < parts.
//
// Geometry: channels; height; width; top; left; step_h; step_w; part_h; part_w; parts.
static APART void JOIN(NAME, _pad)(global const REAL *x, global const INDEX *g, global REAL *to) {
    const INDEX channels = g[0], height = g[1], width = g[2], left = g[4], step_h = g[5], step_w = g[6], part_w = g[8];
    const INDEX parts = g[9], part = g[7] * part_w, first = g[3] % step_h, above = g[3] / step_h * part_w;
    const INDEX between = part * parts, is_split = step_w == 2 && parts == 2 && 2 * part_w >= width + left;
    for (INDEX p = 0; p < parts; p += is_split ? 2 : 1, to += part) {
        const INDEX begin = left > p ? (left - p + step_w - 1) / step_w : 0;
        const INDEX all = (width + left - p + step_w - 1) / step_w, count = (all < part_w ? all : part_w) - begin;
        const INDEX shift = p + begin * step_w - left;
        global const REAL *line = x, *end = x + channels * height * width;
        for (global REAL *channel = to; line < end; channel += between * step_h) {
            global REAL *row = channel + above;
            INDEX residue = first;
            for (INDEX y = 0; y < height; y++, line += width) {
                global REAL *place = row + residue * between;
                if (step_w == 1)
                    JOIN(NAME, _copy)(line + shift, count, place + begin);
                else if (is_split)
                    JOIN(NAME, _split)(line, width, place + (left & 1) * part + left / 2,
                                       place + (left + 1 & 1) * part + (left + 1) / 2);
                else
                    JOIN(NAME, _take)(line + shift, step_w, count, place + begin);
                if (++residue == step_h) {
                    residue = 0;
                    row += part_w;
                }
            }
        }
    }
}

#undef OCTET
#undef QUAD
#undef JOIN
#undef JOIN_
#undef INDEX
