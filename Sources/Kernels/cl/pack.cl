// Packing for the micro-kernel, functions and no kernel.
//
// NAME_pack writes panels of `width` lines side by side, one panel after the other: element (line, term) of a
// strided matrix, at from[line·by_line + term·by_term], becomes to[panel][term][line of the panel]. One of the two
// distances is 1. Where a panel has fewer lines, the others are zeros. It needs the functions of `rotate`.
//
// Macros: NAME, REAL, WIDE (64-bit indices).
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define OCTET JOIN(REAL, 8)

// One panel whose terms lie next to each other: blocks of eight or four lines.
static APART void JOIN(NAME, _turn)(global const REAL *from, const long by_line, const INDEX lines, const INDEX terms,
                              global REAL *to, const INDEX width) {
    INDEX i = 0;
    for (; i + 8 <= lines; i += 8, from += 8 * by_line) {
        INDEX k = 0;
        for (; k + 8 <= terms; k += 8) {
            OCTET v[8];
            global REAL *target = to + (long)k * width + i;
#pragma unroll
            for (int l = 0; l < 8; l++) v[l] = vload8(0, from + l * by_line + k);
            JOIN(NAME, _rotate8)(v);
#pragma unroll
            for (int l = 0; l < 8; l++) vstore8(v[l], 0, target + l * width);
        }
        for (; k < terms; k++)
            for (INDEX l = 0; l < 8; l++) to[(long)k * width + i + l] = from[l * by_line + k];
    }
    for (; i + 4 <= lines; i += 4, from += 4 * by_line) {
        INDEX k = 0;
        for (; k + 8 <= terms; k += 8) {
            OCTET v[4];
            global REAL *target = to + (long)k * width + i;
#pragma unroll
            for (int l = 0; l < 4; l++) v[l] = vload8(0, from + l * by_line + k);
            JOIN(NAME, _rotate4)(v);
#pragma unroll
            for (int l = 0; l < 4; l++) {
                vstore4(v[l].lo, 0, target + 2 * l * width);
                vstore4(v[l].hi, 0, target + (2 * l + 1) * width);
            }
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

#undef OCTET
#undef JOIN
#undef JOIN_
#undef INDEX
