// Transpositions in blocks of eight terms, functions and no kernel. They need those of `rotate`.
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

#define ROTATE_(lines) JOIN(JOIN(NAME, _rotate), lines)

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
    // Eight channels at a time, which are read in order; a last block overlaps the one before.
    for (INDEX first = 0; first < channels; first += 8) {
        const INDEX c = first + 8 <= channels ? first : channels - 8;
        global const REAL *from = x + c * pixels;
        INDEX start = 0, column = 0;
        for (INDEX pixel = 0; pixel < pixels;) {
            OCTET v[8];
#pragma unroll
            for (int i = 0; i < 8; i++) v[i] = vload8(0, from + i * pixels + pixel);
            JOIN(NAME, _rotate8)(v);
            INDEX place[8], at = start, here = column;
#pragma unroll
            for (int i = 0; i < 8; i++) {
                place[i] = at++ * channels + c;
                if (++here == width) {
                    here = 0;
                    at += gap;
                }
            }
#pragma unroll
            for (int i = 0; i < 8; i++) vstore8(v[i], 0, to + place[i]);
            const INDEX step = pixel + 16 > pixels && pixel + 8 < pixels ? pixels - 8 - pixel : 8;
            pixel += step, start += step, column += step;
            for (; column >= width; column -= width) start += gap;
        }
    }
}

#undef ROTATE_
#undef OCTET
#undef JOIN
#undef JOIN_
#undef INDEX
