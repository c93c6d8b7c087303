// A convolution, or its input gradient, image by image: y[line, position] = Σ_k filter[line, k]·x[off[k] + position],
// from filters in panels (`conv_filters`).
//
// A work-item takes a run of (image, group, block of lines), in this order. It pads the image in its working memory and
// reads vectors of positions from there: rows of some vectors, the last of which may overlap the one before. Results are
// written as they come, or along all of the padded rows, from which they are then copied. A strided input gradient has
// a pass for every residue of the positions, whose results are interleaved.
//
// Geometry: runs; blocks of lines; lines of a block; lines; groups; elements of working memory of one item, and of a
// padded image; elements of an image, of its result, of a line's result, of the filters, all of one group; width of the
// result; passes down and across; results are written as they come (0 or 1); the ten numbers of `pad`; then for every
// pass: terms; first of its filters; vectors; vectors of a row; where the last one of a row begins; elements between
// rows of the padded image, and of the result; where its results lie if they are copied; the element of every term.
//
// Macros: NAME, REAL, WIDE (64-bit indices), ROWS, PANELS and V (the tile), TABLE, WHOLE, FINISH.
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
// What becomes of a run of results; see `OpenCLEpilogue`.
#ifndef FINISH
#define FINISH_OPERANDS
#define FINISH_CONSTANTS
#define FINISH(y, first, count)
#endif
#define PADDING 15
#define PASSES 25
#define PASS 9
#define PLANE 7
#define TABLE_OF_PASS 8

// One pass for some lines: `pitch` elements between the results of lines.
static APART void JOIN(NAME, _pass)(global const INDEX *pass, global const REAL *x, global const REAL *w,
                              const INDEX lines, global REAL *y, const INDEX pitch, global const INDEX *off) {
    const INDEX terms = pass[0], vectors = pass[2], across = pass[3], last = pass[4], tiles = (vectors + PANELS - 1) / PANELS;
    for (INDEX t = 0; t < tiles; t++) {
        const INDEX begin = vectors * t / tiles, count = vectors * (t + 1) / tiles - begin;
        INDEX at[PANELS], place[PANELS];
        for (int j = 0; j < PANELS; j++) {
            const INDEX row = (begin + j) / across, column = (begin + j - row * across) * V;
            const INDEX from = column < last ? column : last;
            at[j] = row * pass[5] + from;
            place[j] = row * pass[6] + from;
        }
        for (INDEX line = 0; line < lines; line += ROWS) {
            global const REAL *a = w + (long)line * terms;
            global REAL *c = y + (long)line * pitch;
            const int rows = lines - line < ROWS ? lines - line : ROWS;
            if (count == 1) JOIN(NAME, _tile1)(terms, a, x, off, at, c, pitch, 1, place, 0, rows, 0);
#if PANELS > 1
            if (count == 2) JOIN(NAME, _tile2)(terms, a, x, off, at, c, pitch, 1, place, 0, rows, 0);
#endif
#if PANELS > 2
            if (count == 3) JOIN(NAME, _tile3)(terms, a, x, off, at, c, pitch, 1, place, 0, rows, 0);
#endif
        }
    }
}

// Results of all passes for one line, row by row.
static APART void JOIN(NAME, _rows)(global const INDEX *g, global const REAL *planes, const INDEX line, global REAL *y) {
    const INDEX width = g[11], down = g[12], across = g[13], part_w = g[PADDING + 8];
    INDEX residue = 0, start = 0;
    for (global REAL *end = y + g[9]; y < end; y += width) {
        global const INDEX *pass = g + PASSES + residue * across * PASS;
        global const REAL *from = planes + pass[PLANE] + line * pass[2] * V + start;
        if (across == 1) {
            JOIN(NAME, _copy)(from, width, y);
        } else if (across == 2) {
            global const REAL *odd = planes + pass[PASS + PLANE] + line * pass[PASS + 2] * V + start;
            JOIN(NAME, _join)(from, odd, width, y);
        } else {
            for (INDEX b = 0; b < across; b++, pass += PASS)
                for (INDEX i = b, k = start; i < width; i += across, k++)
                    y[i] = planes[pass[PLANE] + line * pass[2] * V + k];
        }
        if (++residue == down) {
            residue = 0;
            start += part_w;
        }
    }
}

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void NAME(global const REAL *x, long x0, global const REAL *w, long w0, global REAL *y, long y0, global REAL *work,
          long work0 FINISH_OPERANDS, global const INDEX *g, int g0 FINISH_CONSTANTS) {
    g += g0;
    y += y0;
    const INDEX blocks = g[1], lines = g[3], is_direct = g[14], passes = g[12] * g[13];
    const long item = get_global_id(0), items = get_global_size(0);
    global REAL *padded = work + work0 + item * g[5], *planes = padded + g[6];
    JOIN(NAME, _clear)(padded, g[6]);
    const INDEX begin = (INDEX)(g[0] * item / items), end = (INDEX)(g[0] * (item + 1) / items);
    INDEX held = -1;
    for (INDEX run = begin; run < end; run++) {
        const INDEX image = run / blocks, line = (run - image * blocks) * g[2];
        const INDEX here = lines - line < g[2] ? lines - line : g[2];
        if (image != held) JOIN(NAME, _pad)(x + x0 + (long)image * g[7], g + PADDING, padded);
        held = image;
        const long first = (long)image * g[8] + (long)line * g[9];
        for (INDEX p = 0; p < passes; p++) {
            global const INDEX *pass = g + PASSES + p * PASS;
            global const REAL *filters = w + w0 + (long)(image % g[4]) * g[10] + pass[1] + (long)line * pass[0];
            global REAL *to = is_direct ? y + first : planes + pass[PLANE];
            JOIN(NAME, _pass)(pass, padded, filters, here, to, is_direct ? g[9] : pass[2] * V,
                              g + pass[TABLE_OF_PASS]);
        }
        if (!is_direct)
            for (INDEX i = 0; i < here; i++) JOIN(NAME, _rows)(g, planes, i, y + first + (long)i * g[9]);
        FINISH(y, (INDEX)first, here * g[9]);
    }
}

#undef TABLE_OF_PASS
#undef PLANE
#undef PASS
#undef PASSES
#undef PADDING
#undef FINISH
#undef FINISH_CONSTANTS
#undef FINISH_OPERANDS
#undef JOIN
#undef JOIN_
#undef INDEX
