// Transpositions in blocks of eight terms, functions and no kernel.
//
// Macros: NAME, REAL, WIDE (64-bit indices), ROWS (4 or 8).
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define OCTET JOIN(REAL, 8)

// The pairs of the first and of the second halves.
#define PAIRS(to, a, b, half) to.even = a.half, to.odd = b.half

// Moves the number of the line from the front of every element's place to its end: LINES = 2^n lines of eight terms
// become terms of LINES lines, one after the other.
#define ROTATION(LINES) \
    static inline void JOIN(NAME, _rotate##LINES)(OCTET *v) { \
        _Pragma("unroll") for (int round = LINES; round > 1; round /= 2) { \
            OCTET to[LINES]; \
            _Pragma("unroll") for (int i = 0; i < LINES / 2; i++) { \
                PAIRS(to[2 * i], v[i], v[i + LINES / 2], lo); \
                PAIRS(to[2 * i + 1], v[i], v[i + LINES / 2], hi); \
            } \
            _Pragma("unroll") for (int i = 0; i < LINES; i++) v[i] = to[i]; \
        } \
    }
#define ROTATE_(lines) JOIN(JOIN(NAME, _rotate), lines)
ROTATION(8)
#if ROWS != 8
ROTATION(4)
#endif

// Lines in a panel: to[k·ROWS + i] = from[i·by_line + k], zeros from `lines` on.
static APART void JOIN(NAME, _panel)(global const REAL *from, const INDEX by_line, const INDEX lines, const INDEX terms,
                               global REAL *to) {
    INDEX k = 0;
    for (INDEX next = 0; k + 8 <= terms; k = next) {
        OCTET v[ROWS];
#pragma unroll
        for (int i = 0; i < ROWS; i++) v[i] = i < lines ? vload8(0, from + i * by_line + k) : (OCTET)(0);
        ROTATE_(ROWS)(v);
#pragma unroll
        for (int i = 0; i < ROWS; i++) vstore8(v[i], 0, to + k * ROWS + i * 8);
        next = k + 8;
        if (next < terms && next + 8 > terms) next = terms - 8;
    }
    for (; k < terms; k++)
        for (int i = 0; i < ROWS; i++) to[k * ROWS + i] = i < lines ? from[i * by_line + k] : 0;
}

// An image with its channels last within zeros, which are there already: to[(row·part_w + column)·channels + channel].
//
// Geometry: channels; height; width; part_w.
static APART void JOIN(NAME, _last)(global const REAL *x, global const INDEX *g, global REAL *to) {
    const INDEX channels = g[0], width = g[2], pixels = g[1] * width, gap = g[3] - width;
    if (channels < 8 || pixels < 8) {
        for (INDEX c = 0; c < channels; c++)
            for (INDEX i = 0; i < pixels; i++, x++) to[(i + i / width * gap) * channels + c] = *x;
        return;
    }
    for (INDEX block = 0; block < pixels; block += 8) {
        const INDEX pixel = block + 8 <= pixels ? block : pixels - 8;
        INDEX place[8], column = pixel % width, at = pixel + pixel / width * gap;
        for (int i = 0; i < 8; i++, at++) {
            place[i] = at * channels;
            if (++column == width) {
                column = 0;
                at += gap;
            }
        }
        for (INDEX first = 0; first < channels; first += 8) {
            const INDEX c = first + 8 <= channels ? first : channels - 8;
            OCTET v[8];
#pragma unroll
            for (int i = 0; i < 8; i++) v[i] = vload8(0, x + (c + i) * pixels + pixel);
            JOIN(NAME, _rotate8)(v);
#pragma unroll
            for (int i = 0; i < 8; i++) vstore8(v[i], 0, to + place[i] + c);
        }
    }
}

#undef ROTATE_
#undef ROTATION
#undef PAIRS
#undef OCTET
#undef JOIN
#undef JOIN_
#undef INDEX
