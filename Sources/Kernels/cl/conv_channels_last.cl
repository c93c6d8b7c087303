// Images of one group with their channels last and zeros around them: y[image, row, column, channel].
//
// Work-items (row of the padded image, image·groups + group); those of the row after the last clear what may be read
// after the images. Macros: NAME, REAL, WIDE (64-bit indices). Geometry: channels; height; width; top; left; padded
// height and width; number of images; elements to clear.
#ifndef NAME
#define NAME conv_channels_last
#endif
#ifndef REAL
#define REAL float
#endif
#ifdef WIDE
#define INDEX long
#else
#define INDEX int
#endif

kernel __attribute__((reqd_work_group_size(1, 1, 1)))
void NAME(global const REAL *x, long x0, global REAL *restrict y, long y0, global const INDEX *g, int g0) {
    g += g0;
    const INDEX channels = g[0], height = g[1], width = g[2], row = (INDEX)get_global_id(0), plane_w = g[6];
    const INDEX image = (INDEX)get_global_id(1), run = plane_w * channels;
    y += y0 + ((long)image * g[5] + row) * run;
    if (row >= g[5]) {
        if (row == g[5] && image == g[7] - 1)
            for (INDEX i = 0; i < g[8]; i++) y[i] = 0;
        return;
    }
    const INDEX line = row - g[3];
    for (INDEX i = 0; i < run; i++) y[i] = 0;
    if (line < 0 || line >= height) return;
    x += x0 + ((long)image * channels * height + line) * width;
    y += g[4] * channels;
    for (INDEX c = 0; c < channels; c++, x += (long)height * width)
        for (INDEX column = 0; column < width; column++) y[column * channels + c] = x[column];
}

#undef INDEX
