// Packing for the micro-kernel, functions and no kernel.
//
// NAME_pack writes panels of `width` lines side by side, one panel after the other: element (line, term) of a
// strided matrix, at from[line·by_line + term·by_term], becomes to[panel][term][line of the panel]. One of the two
// distances is 1. Where a panel has fewer lines, the others are zeros.
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

// One panel whose terms lie next to each other: blocks of four lines by four terms.
static APART void JOIN(NAME, _turn)(global const REAL *from, const long by_line, const INDEX lines, const INDEX terms,
                              global REAL *to, const INDEX width) {
    INDEX i = 0;
    for (; i + 4 <= lines; i += 4, from += 4 * by_line) {
        INDEX k = 0;
        for (; k + 4 <= terms; k += 4) {
            const QUAD a = vload4(0, from + k), b = vload4(0, from + by_line + k);
            const QUAD c = vload4(0, from + 2 * by_line + k), d = vload4(0, from + 3 * by_line + k);
            global REAL *target = to + (long)k * width + i;
            vstore4((QUAD)(a.s0, b.s0, c.s0, d.s0), 0, target);
            vstore4((QUAD)(a.s1, b.s1, c.s1, d.s1), 0, target + width);
            vstore4((QUAD)(a.s2, b.s2, c.s2, d.s2), 0, target + 2 * width);
            vstore4((QUAD)(a.s3, b.s3, c.s3, d.s3), 0, target + 3 * width);
        }
        for (; k < terms; k++)
            for (INDEX l = 0; l < 4; l++) to[(long)k * width + i + l] = from[l * by_line + k];
    }
    for (; i < lines; i++, from += by_line)
        for (INDEX k = 0; k < terms; k++) to[(long)k * width + i] = from[k];
    for (; i < width; i++)
        for (INDEX k = 0; k < terms; k++) to[(long)k * width + i] = 0;
}

static APART void JOIN(NAME, _pack)(global const REAL *from, const long by_line, const long by_term, const INDEX lines,
                              const INDEX terms, global REAL *to, const INDEX width) {
    if (by_line != 1) {
        for (INDEX first = 0; first < lines; first += width)
            JOIN(NAME, _turn)(from + first * by_line, by_line, lines - first < width ? lines - first : width, terms,
                              to + (long)first * terms, width);
        return;
    }
    // A few terms at a time, for all panels: they share the cache lines and pages that are read.
    for (INDEX begin = 0; begin < terms; begin += 8) {
        const INDEX end = terms - begin < 8 ? terms : begin + 8;
        for (INDEX first = 0; first < lines; first += width) {
            const INDEX count = lines - first < width ? lines - first : width;
            global const REAL *source = from + begin * by_term + first;
            global REAL *target = to + (long)first * terms + (long)begin * width;
            for (INDEX k = begin; k < end; k++, source += by_term, target += width) {
                INDEX i = 0;
                for (; i + 8 <= count; i += 8) vstore8(vload8(0, source + i), 0, target + i);
                for (; i < count; i++) target[i] = source[i];
                for (; i < width; i++) target[i] = 0;
            }
        }
    }
}

#undef QUAD
#undef JOIN
#undef JOIN_
#undef INDEX
