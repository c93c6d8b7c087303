// Filters in panels for `conv_images`: y[group·distance + (panel·terms + channel·taps + tap)·ROWS + i] is the filter of
// line panel·ROWS + i, zeros past the last line. Lines are filters, or channels for the input gradient.
//
// Work-items (panel, group). Macros: NAME, REAL, WIDE (64-bit indices), ROWS. Geometry: lines; channels; taps; elements
// of one group of filters, and of its panels; strides of line, channel and kernel position; then the kernel position of every tap.
#ifndef NAME
#define NAME conv_filters
#endif
#ifndef REAL
#define REAL float
#endif
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif
#ifndef ROWS
#define ROWS 8
#endif

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void NAME(global const REAL *w, long w0, global REAL *restrict y, long y0, global const INDEX *g, int g0) {
    g += g0;
    const INDEX lines = g[0], channels = g[1], taps = g[2], panels = (lines + ROWS - 1) / ROWS;
    const INDEX panel = (INDEX)get_global_id(0), group = (INDEX)get_global_id(1);
    if (panel >= panels) return;
    w += w0 + (long)group * g[3];
    y += y0 + (long)group * g[4] + (long)panel * channels * taps * ROWS;
    for (INDEX c = 0; c < channels; c++)
        for (INDEX t = 0; t < taps; t++, y += ROWS)
            for (int i = 0; i < ROWS; i++) {
                const INDEX line = panel * ROWS + i;
                y[i] = line < lines ? w[(long)line * g[5] + (long)c * g[6] + g[7 + t]] : (REAL)0;
            }
}

#undef INDEX
